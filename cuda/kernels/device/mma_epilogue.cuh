#pragma once

#include <cstdint>

#include "cuda/kernels/device/bf16.cuh"
#include "cuda/kernels/device/mma_mainloop.cuh"
#include "cuda/kernels/device/vector_io.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Where a product goes: [rows, columns] of bf16 or f32, after + bias[column] and ReLU.
struct ProductOutput {
  void* data;
  const float* bias;  ///< [columns] or null
  int rows;
  int columns;
  bool relu;
  bool f32;
  bool vectors;  ///< true iff every row starts at a multiple of 16 bytes and holds whole vectors of them
};

__device__ __forceinline__ void store_pair(float* address, float x, float y) {
  *reinterpret_cast<float2*>(address) = make_float2(x, y);
}
__device__ __forceinline__ void store_pair(bf16* address, float x, float y) {
  *reinterpret_cast<unsigned*>(address) = pack_bf16(x, y);
}

template <class Config, class Out, class RowOffset>
__device__ __forceinline__ void store_product_as(const typename Config::Product& product, unsigned char* shared,
                                                 const ProductOutput& output, int first_row, int first_column,
                                                 const RowOffset& row_offset) {
  // Rows of the staged tile are 16 bytes longer than their contents: pairs of eight rows fall into different banks.
  constexpr int kElements = kVectorElements<Out>;
  constexpr int kPitch = Config::kBlockN + kElements;
  static_assert(Config::kBlockM * kPitch * static_cast<int>(sizeof(Out)) <= Config::kSharedBytes);
  auto* staged = reinterpret_cast<Out*>(shared);
  product.for_each_pair([&](int row, int column, float x, float y) {
    if (output.bias != nullptr) {
      const int left = output.columns - first_column - column;
      if (left > 0) x += output.bias[first_column + column];
      if (left > 1) y += output.bias[first_column + column + 1];
    }
    if (output.relu) {
      x = x > 0.0f || isnan(x) ? x : 0.0f;
      y = y > 0.0f || isnan(y) ? y : 0.0f;
    }
    store_pair(staged + row * kPitch + column, x, y);
  });
  __syncthreads();
  constexpr int kRowVectors = Config::kBlockN / kElements;
  const int vector = static_cast<int>(threadIdx.x) % kRowVectors;
  const int column = first_column + vector * kElements;
  const int columns_left = output.columns - column;
  if (columns_left <= 0) return;
  for (int i = static_cast<int>(threadIdx.x) / kRowVectors; i < Config::kBlockM; i += Config::kThreads / kRowVectors) {
    const int row = first_row + i;
    if (row >= output.rows) return;
    const auto values = load_vector<kElements>(staged + i * kPitch + vector * kElements);
    Out* to = static_cast<Out*>(output.data) + row_offset(row) + column;
    if (output.vectors) {
      store_vector(to, values);
    } else {
#pragma unroll
      for (int e = 0; e < kElements; ++e) {
        if (e < columns_left) to[e] = values.element[e];
      }
    }
  }
}

/// Stores a block's tile of C, whose first element is C[first_row][first_column], by way of `shared`, so that global
/// memory sees whole rows. row_offset(row) is the element of output.data where that row begins.
template <class Config, class RowOffset>
__device__ __forceinline__ void store_product(const typename Config::Product& product, unsigned char* shared,
                                              const ProductOutput& output, int first_row, int first_column,
                                              const RowOffset& row_offset) {
  if constexpr (sizeof(typename Config::Element) == 2) {
    if (!output.f32)
      return store_product_as<Config, bf16>(product, shared, output, first_row, first_column, row_offset);
  }
  store_product_as<Config, float>(product, shared, output, first_row, first_column, row_offset);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
