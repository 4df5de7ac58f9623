#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

#include "cuda/emulator/memory_check.h"
#include "cuda/emulator/thread_order.h"
#include "cuda/kernels/device/warp.cuh"
#include "cuda/runtime/launch.cuh"
#include "engine/base/error.h"

namespace graft::cuda::testing {

inline const std::vector<emulator::ThreadOrder>& thread_orders() {
  using Kind = emulator::ThreadOrder::Kind;
  static const std::vector<emulator::ThreadOrder> orders{{Kind::ascending}, {Kind::descending}, {Kind::random, 7}};
  return orders;
}

/// A stream of the emulated device.
inline Stream open_stream(const emulator::ThreadOrder& order = {}) {
  const emulator::ScopedThreadOrder scope(order);
  return Stream(open_device(0));
}

/// Device memory that holds `values`.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count) {
    check_cuda(cudaMalloc(reinterpret_cast<void**>(&data_), count * sizeof(T)), "cudaMalloc");
  }
  DeviceArray(const Stream& stream, const std::vector<T>& values) : DeviceArray(values.size()) {
    stream.copy(values.data(), data_, count_ * sizeof(T));
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* data() { return data_; }
  std::vector<T> values(const Stream& stream) const {
    std::vector<T> host(count_);
    stream.copy(data_, host.data(), count_ * sizeof(T));
    stream.synchronize();
    return host;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

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
