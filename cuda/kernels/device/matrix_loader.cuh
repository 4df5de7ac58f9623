#pragma once

#include <cstdint>

#include "cuda/kernels/device/async_copy.cuh"
#include "cuda/kernels/device/shared_tile.cuh"
#include "cuda/kernels/device/vector_io.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// How a block's threads fill a SharedTile: thread t takes chunk t % 8 of the rows t / 8, t / 8 + kThreads / 8, ... so
// that eight threads copy 128 neighbouring bytes and no two of them meet in a bank.

/// A matrix in global memory whose chunks of 16 bytes are aligned and lie wholly inside or outside of it: one operand
/// of a product, with `extent` elements along M or N. Its rows run along K (Major::k: [extent, depth]) or along M or N
/// (Major::mn: [depth, extent]), `pitch` elements apart.
template <class T>
struct MatrixOperand {
  const T* data;
  std::int64_t pitch;
  int extent;
};

template <class T, int Extent, Major Direction, int Threads>
class MatrixLoader;

/// Rows along K: row i of the tile is row first + i of the matrix.
template <class T, int Extent, int Threads>
class MatrixLoader<T, Extent, Major::k, Threads> {
 public:
  static constexpr Major kMajor = Major::k;

  /// From row `first`, for depths in [begin, end).
  __device__ __forceinline__ MatrixLoader(const MatrixOperand<T>& operand, int first, int begin, int end)
      : row_(static_cast<int>(threadIdx.x) / kRowChunks),
        chunk_(static_cast<int>(threadIdx.x) % kRowChunks),
        rows_left_(operand.extent - first - row_),
        depth_left_(end - begin - chunk_ * kChunkElements<T>),
        step_(operand.pitch * kRowStep),
        source_(operand.data + (std::int64_t{first} + row_) * operand.pitch + begin + chunk_ * kChunkElements<T>) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::k>& tile) {
    const int rows = depth_left_ > 0 ? rows_left_ : 0;
#pragma unroll
    for (int i = 0; i < Extent / kRowStep; ++i) {
      const bool valid = i * kRowStep < rows;
      copy_async<16>(tile.chunk(row_ + i * kRowStep, chunk_), source_ + i * step_, valid);
    }
    source_ += kRowElements<T>;
    depth_left_ -= kRowElements<T>;
  }

 private:
  static constexpr int kRowStep = Threads / kRowChunks;
  static_assert(Extent % kRowStep == 0);

  int row_;
  int chunk_;
  int rows_left_;
  int depth_left_;
  std::int64_t step_;
  const T* source_;
};

/// Rows along M or N.
template <class T, int Extent, int Threads>
class MatrixLoader<T, Extent, Major::mn, Threads> {
 public:
  static constexpr Major kMajor = Major::mn;

  __device__ __forceinline__ MatrixLoader(const MatrixOperand<T>& operand, int first, int begin, int end)
      : row_(static_cast<int>(threadIdx.x) / kRowChunks),
        chunk_(static_cast<int>(threadIdx.x) % kRowChunks),
        columns_left_(operand.extent - first - chunk_ * kChunkElements<T>),
        depth_left_(end - begin - row_),
        pitch_(operand.pitch),
        source_(operand.data + (std::int64_t{begin} + row_) * operand.pitch + first + chunk_ * kChunkElements<T>) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::mn>& tile) {
#pragma unroll
    for (int panel = 0; panel < Extent / kRowElements<T>; ++panel) {
#pragma unroll
      for (int i = 0; i < kDepth / kRowStep; ++i) {
        const bool valid = panel * kRowElements<T> < columns_left_ && i * kRowStep < depth_left_;
        copy_async<16>(tile.chunk(panel * kDepth + row_ + i * kRowStep, chunk_),
                       source_ + i * kRowStep * pitch_ + panel * kRowElements<T>, valid);
      }
    }
    source_ += kDepth * pitch_;
    depth_left_ -= kDepth;
  }

 private:
  static constexpr int kDepth = kRowElements<T>;
  static constexpr int kRowStep = Threads / kRowChunks;
  static_assert(kDepth % kRowStep == 0);

  int row_;
  int chunk_;
  int columns_left_;
  int depth_left_;
  std::int64_t pitch_;
  const T* source_;
};

/// A matrix of any strides and alignment, element by element through registers.
template <class T>
struct StridedOperand {
  const T* data;
  std::int64_t stride;        ///< between neighbours along M or N
  std::int64_t depth_stride;  ///< between neighbours along K
  int extent;
};

template <class T, int Extent, int Threads>
class StridedLoader {
 public:
  static constexpr Major kMajor = Major::k;

  __device__ __forceinline__ StridedLoader(const StridedOperand<T>& operand, int first, int begin, int end)
      : operand_(operand), first_(first), depth_(begin), end_(end) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::k>& tile) {
    const int chunk = static_cast<int>(threadIdx.x) % kRowChunks;
    const std::int64_t depth = std::int64_t{depth_} + chunk * kChunkElements<T>;
    for (int row = static_cast<int>(threadIdx.x) / kRowChunks; row < Extent; row += Threads / kRowChunks) {
      const T* source = operand_.data + (std::int64_t{first_} + row) * operand_.stride + depth * operand_.depth_stride;
      Vector<T, kChunkElements<T>> values;
#pragma unroll
      for (int i = 0; i < kChunkElements<T>; ++i) {
        const bool valid = row < operand_.extent - first_ && depth + i < end_;
        values.element[i] = valid ? source[i * operand_.depth_stride] : T{};
      }
      store_vector(reinterpret_cast<T*>(tile.chunk(row, chunk)), values);
    }
    depth_ += kRowElements<T>;
  }

 private:
  StridedOperand<T> operand_;
  int first_;
  int depth_;
  int end_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
