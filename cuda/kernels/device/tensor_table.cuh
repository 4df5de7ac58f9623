#pragma once

#include <cstdint>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/kernels/tensor_group.h"

// Many tensors by one launch: their addresses are the kernel's arguments, and a block has a piece of one of them.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Elements of a block: four 16-byte vectors a thread.
inline constexpr std::int64_t kPieceElements = std::int64_t{4} * kBlockThreads * kVectorElements<float>;

/// Up to kTensors groups of kStreams f32 arrays of one size; lies in constant memory as a kernel's argument.
template <int kStreams>
struct TensorTable {
  static constexpr int kTensors = 256;
  float* data[kTensors][kStreams];
  std::int64_t count[kTensors];
  unsigned first_block[kTensors];  ///< pieces of the tensors before
  int tensors;
  unsigned blocks;

  /// The tensor that a block has a piece of.
  __device__ __forceinline__ int tensor_of(unsigned block) const {
    int below = 0;
    int above = tensors;
    while (above - below > 1) {
      const int middle = (below + above) / 2;
      (first_block[middle] <= block ? below : above) = middle;
    }
    return below;
  }
};
static_assert(sizeof(TensorTable<4>) < 32764, "what a kernel's arguments may take from compute capability 7.0 on");

/// Calls body(table) for tables that together hold every tensor that has elements.
template <int kStreams, class Body>
void for_each_table(const TensorGroup<kStreams>& group, const Body& body) {
  TensorTable<kStreams> table;
  table.tensors = 0;
  table.blocks = 0;
  for (const TensorRow<kStreams>& row : group) {
    const std::int64_t pieces = divide_up(row.count, kPieceElements);
    if (pieces == 0) continue;
    if (table.tensors == TensorTable<kStreams>::kTensors || table.blocks + pieces > 0x7fffffff) {
      body(table);
      table.tensors = 0;
      table.blocks = 0;
    }
    for (int stream = 0; stream < kStreams; ++stream) table.data[table.tensors][stream] = row.data[stream];
    table.count[table.tensors] = row.count;
    table.first_block[table.tensors] = table.blocks;
    ++table.tensors;
    table.blocks += static_cast<unsigned>(pieces);
  }
  if (table.tensors > 0) body(table);
}

/// A block's piece of a table.
template <int kStreams>
struct TensorPiece {
  float* data[kStreams];
  std::int64_t count;
  bool aligned;  ///< every array starts at a multiple of 16 bytes

  __device__ __forceinline__ explicit TensorPiece(const TensorTable<kStreams>& table) {
    const int tensor = table.tensor_of(blockIdx.x);
    const std::int64_t first = std::int64_t{blockIdx.x - table.first_block[tensor]} * kPieceElements;
    count = min(table.count[tensor] - first, kPieceElements);
    aligned = true;
#pragma unroll
    for (int stream = 0; stream < kStreams; ++stream) {
      data[stream] = table.data[tensor][stream] + first;
      aligned = aligned && reinterpret_cast<std::uintptr_t>(data[stream]) % 16 == 0;
    }
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
