#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cuda/runtime/stream.h"

// The ladder of the row reduction: y[c] = the sum over rows of x [rows, channels] in f32, as the gradient of a bias and
// the statistics of batch normalisation are, from the plainest kernel to the one in use, each step a file whose opening
// comment says what it changes and why. Every step is checked by the same test (tests/cuda/ladder). To keep the steps
// short they take channels in multiples of 4 and an x that starts at a multiple of 16 bytes; the kernel in use has
// neither limit. None uses atomics on floats: sums would depend on which block comes first.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

struct RowReduction {
  const float* x = nullptr;  ///< [rows, channels]
  std::int64_t rows = 0;
  std::int64_t channels = 0;
  float* y = nullptr;         ///< [channels]
  void* workspace = nullptr;  ///< kRowLadderWorkspaceBytes, overwritten
};
inline constexpr std::size_t kRowLadderWorkspaceBytes = std::size_t{4} << 20;

void row_ladder_naive(const Stream& stream, const RowReduction& problem);
void row_ladder_shared_tree(const Stream& stream, const RowReduction& problem);
void row_ladder_row_blocks(const Stream& stream, const RowReduction& problem);
void row_ladder_vectors(const Stream& stream, const RowReduction& problem);
void row_ladder_in_use(const Stream& stream, const RowReduction& problem);

struct NamedRowStep {
  const char* name;
  void (*run)(const Stream& stream, const RowReduction& problem);
};
inline constexpr std::array<NamedRowStep, 5> kRowLadder{{{"1 naive", row_ladder_naive},
                                                         {"2 shared tree", row_ladder_shared_tree},
                                                         {"3 row blocks", row_ladder_row_blocks},
                                                         {"4 vectors", row_ladder_vectors},
                                                         {"5 in use", row_ladder_in_use}}};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
