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

/// What a thread moves of a block's tile of the output between global memory and `staged`, by vectors of 16 bytes. Rows
/// of the staged tile are eight elements longer than their contents: so the pairs that are stored together, of bf16
/// from eight rows, of f32 from four, fall into different banks.
template <class Config, class Out>
struct StagedTile {
  static constexpr int kElements = kVectorElements<Out>;
  static constexpr int kPitch = Config::kBlockN + 8;
  static constexpr int kRowVectors = Config::kBlockN / kElements;
  static_assert(Config::kBlockM * kPitch * static_cast<int>(sizeof(Out)) <= Config::kSharedBytes);
  Out* staged;

  __device__ __forceinline__ Out* at(int row, int column) const { return staged + row * kPitch + column; }

  /// body(place in `staged`, output row, first output column, columns left there) for the vectors of this thread.
  template <class Body>
  __device__ __forceinline__ void for_each_vector(const ProductOutput& output, int first_row, int first_column,
                                                  const Body& body) const {
    const int vector = static_cast<int>(threadIdx.x) % kRowVectors;
    const int column = first_column + vector * kElements;
    const int columns_left = output.columns - column;
    if (columns_left <= 0) return;
    for (int i = static_cast<int>(threadIdx.x) / kRowVectors; i < Config::kBlockM;
         i += Config::kThreads / kRowVectors) {
      const int row = first_row + i;
      if (row >= output.rows) return;
      body(at(i, vector * kElements), row, column, columns_left);
    }
  }
};

/// `product` + bias + residual, then ReLU, at its places in `tile`, where the residual lies already.
template <bool kResidual, class Config, class Out>
__device__ __forceinline__ void stage_product(const typename Config::Product& product,
                                              const StagedTile<Config, Out>& tile, const ProductOutput& output,
                                              int first_row, int first_column) {
  product.for_each_pair([&](int row, int column, float x, float y) {
    const int left = output.columns - first_column - column;
    if (output.bias != nullptr) {
      if (left > 0) x += output.bias[first_column + column];
      if (left > 1) y += output.bias[first_column + column + 1];
    }
    if constexpr (kResidual) {
      if (first_row + row < output.rows) {
        if (left > 0) x += to_float(*tile.at(row, column));
        if (left > 1) y += to_float(*tile.at(row, column + 1));
      }
    }
    if (output.relu) {
      x = x > 0.0f || isnan(x) ? x : 0.0f;
      y = y > 0.0f || isnan(y) ? y : 0.0f;
    }
    store_pair(tile.at(row, column), x, y);
  });
}

template <class Config, class Out, class RowOffset>
__device__ __forceinline__ void store_product_as(const typename Config::Product& product, unsigned char* shared,
                                                 const ProductOutput& output, int first_row, int first_column,
                                                 const RowOffset& row_offset, const Out* residual) {
  constexpr int kElements = kVectorElements<Out>;
  const StagedTile<Config, Out> tile{reinterpret_cast<Out*>(shared)};
  if (residual != nullptr) {
    tile.for_each_vector(output, first_row, first_column, [&](Out* staged, int row, int column, int columns_left) {
      const Out* from = residual + row_offset(row) + column;
      if (output.vectors) {
        store_vector(staged, load_vector<kElements>(from));
      } else {
#pragma unroll
        for (int e = 0; e < kElements; ++e) {
          if (e < columns_left) staged[e] = from[e];
        }
      }
    });
    __syncthreads();
    stage_product<true>(product, tile, output, first_row, first_column);
  } else {
    stage_product<false>(product, tile, output, first_row, first_column);
  }
  __syncthreads();
  tile.for_each_vector(output, first_row, first_column, [&](const Out* staged, int row, int column, int columns_left) {
    const auto values = load_vector<kElements>(staged);
    Out* to = static_cast<Out*>(output.data) + row_offset(row) + column;
    if (output.vectors) {
      store_vector(to, values);
    } else {
#pragma unroll
      for (int e = 0; e < kElements; ++e) {
        if (e < columns_left) to[e] = values.element[e];
      }
    }
  });
}

/// Stores a block's tile of C, whose first element is C[first_row][first_column], by way of `shared`, so that global
/// memory sees whole rows. row_offset(row) is the element of output.data where that row begins, and of `residual`, of
/// the same dtype, which is added where it is not null; it may be output.data.
template <class Config, class RowOffset>
__device__ __forceinline__ void store_product(const typename Config::Product& product, unsigned char* shared,
                                              const ProductOutput& output, int first_row, int first_column,
                                              const RowOffset& row_offset,
                                              const typename Config::Element* residual = nullptr) {
  if constexpr (sizeof(typename Config::Element) == 2) {
    if (!output.f32)
      return store_product_as<Config, bf16>(product, shared, output, first_row, first_column, row_offset, residual);
    store_product_as<Config, float, RowOffset>(product, shared, output, first_row, first_column, row_offset, nullptr);
  } else {
    store_product_as<Config, float>(product, shared, output, first_row, first_column, row_offset, residual);
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
