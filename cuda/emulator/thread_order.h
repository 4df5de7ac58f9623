#pragma once

#include <cstdint>

namespace graft::cuda::emulator {

/// In which order the threads that can run are run: warps of a block and lanes of a warp alike.
struct ThreadOrder {
  enum class Kind : std::uint8_t { ascending, descending, random };
  Kind kind = Kind::ascending;
  std::uint64_t seed = 0;  ///< of the random order
};

/// Streams that this host thread creates while this lives run their kernels' threads in the given order.
class ScopedThreadOrder {
 public:
  explicit ScopedThreadOrder(const ThreadOrder& order);
  ~ScopedThreadOrder();
  ScopedThreadOrder(const ScopedThreadOrder&) = delete;
  ScopedThreadOrder& operator=(const ScopedThreadOrder&) = delete;

 private:
  ThreadOrder previous_;
};

}  // namespace graft::cuda::emulator
