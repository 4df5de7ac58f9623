#pragma once

#include <vector>

#include "cuda/emulator/thread_order.h"
#include "cuda/runtime/stream.h"

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

}  // namespace graft::cuda::testing
