#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "cuda/emulator/memory_check.h"
#include "cuda/kernels/device/warp.cuh"
#include "cuda/runtime/launch.cuh"
#include "engine/base/error.h"
#include "tests/cuda/device_array.h"
#include "tests/cuda/emulator/thread_orders.h"

namespace graft::cuda::testing {

/// What the launch says is wrong, or "" where it says nothing.
template <class Launch>
std::string fault_of(const Launch& launch_kernel) {
  try {
    launch_kernel();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// "tests/cuda/emulator/x_test.cpp:12", as reports name a line.
inline std::string line_of(const std::string& file, int line) {
  return file.substr(file.rfind("/tests/") + 1) + ":" + std::to_string(line);
}

/// Fails, at the caller's line, for each of the texts that `message` lacks.
inline void expect_says(const std::string& message, std::initializer_list<std::string> texts,
                        const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  const ::testing::ScopedTrace trace(file, line, "");
  for (const std::string& text : texts)
    EXPECT_NE(message.find(text), std::string::npos) << text << "\nis not in\n" << message;
}

}  // namespace graft::cuda::testing
