#pragma once

#include <cstdint>

#include "cuda/kernels/device/async_copy.cuh"
#include "cuda/kernels/device/pixel_map.cuh"
#include "cuda/kernels/device/shared_tile.cuh"
#include "cuda/kernels/device/vector_io.cuh"

// Loaders of convolution's implicit matrices: as those of matrix_loader.cuh, with addresses from a PixelMap.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Where the rows of a thread begin: rows thread / 8, and every Threads / 8-th after it, of a tile with pixels along M.
template <int Extent, int Threads>
class PixelRows {
 public:
  static constexpr int kStep = Threads / kRowChunks;
  static constexpr int kCount = Extent / kStep;

  /// From row `first` of `rows`.
  __device__ __forceinline__ PixelRows(const PixelMap& map, int first, int rows) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const int row = first + static_cast<int>(threadIdx.x) / kRowChunks + i * kStep;
      ImagePlace place{kNowhere, kNowhere, 0};
      if (row < rows) place = place_of_row(map, row);
      coordinates_[i] = static_cast<unsigned>(place.h) << 16 | (static_cast<unsigned>(place.w) & 0xffffu);
      units_[i] = place.unit;
    }
  }

  /// What the i-th row meets, a step away.
  __device__ __forceinline__ ImagePlace operator()(int i, const ImagePlace& step) const {
    return {(static_cast<int>(coordinates_[i]) >> 16) + step.h,
            static_cast<std::int16_t>(coordinates_[i] & 0xffffu) + step.w, units_[i] + step.unit};
  }

 private:
  unsigned coordinates_[kCount];  ///< of what tap (0, 0) meets: h in the upper half, w in the lower
  unsigned units_[kCount];
};

/// Pixels along M, taps and channels along K: the left factor of forward (of x) and of backward data (of dy).
template <class T, int Extent, int Threads>
class PixelRowLoader {
 public:
  static constexpr Major kMajor = Major::k;

  /// From row `first` of `rows`; `columns` of the map, in chunks; `data` is the group's first channel of the first
  /// pixel.
  __device__ __forceinline__ PixelRowLoader(const PixelMap& map, const T* data, int first, int rows, int columns)
      : map_(map),
        data_(data),
        columns_(columns),
        column_(static_cast<int>(threadIdx.x) % kRowChunks),
        rows_(map, first, rows) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::k>& tile) {
    const int row = static_cast<int>(threadIdx.x) / kRowChunks;
    const int chunk = static_cast<int>(threadIdx.x) % kRowChunks;
    const ImagePlace step = step_of_column(map_, column_);
    const bool some = column_ < columns_;
#pragma unroll
    for (int i = 0; i < Rows::kCount; ++i) {
      const ImagePlace place = rows_(i, step);
      const T* source = data_ + static_cast<std::size_t>(place.unit) * kChunkElements<T>;
      copy_async<16>(tile.chunk(row + i * Rows::kStep, chunk), source, some && inside_image(map_, place.h, place.w));
    }
    column_ += kRowChunks;
  }

 private:
  using Rows = PixelRows<Extent, Threads>;

  const PixelMap& map_;
  const T* data_;
  int columns_;
  int column_;
  Rows rows_;
};

/// The same for any number of channels, element by element through registers: the map counts in elements.
template <class T, int Extent, int Threads>
class PixelElementLoader {
 public:
  static constexpr Major kMajor = Major::k;

  __device__ __forceinline__ PixelElementLoader(const PixelMap& map, const T* data, int first, int rows, int columns)
      : map_(map),
        data_(data),
        columns_(columns),
        column_(static_cast<int>(threadIdx.x) % kRowChunks * kChunkElements<T>),
        rows_(map, first, rows) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::k>& tile) {
    const int row = static_cast<int>(threadIdx.x) / kRowChunks;
    const int chunk = static_cast<int>(threadIdx.x) % kRowChunks;
    ImagePlace steps[kChunkElements<T>];
#pragma unroll
    for (int e = 0; e < kChunkElements<T>; ++e) {
      steps[e] = ImagePlace{kNowhere, kNowhere, 0};
      if (column_ + e < columns_) steps[e] = step_of_column(map_, column_ + e);
    }
#pragma unroll
    for (int i = 0; i < Rows::kCount; ++i) {
      Vector<T, kChunkElements<T>> values;
#pragma unroll
      for (int e = 0; e < kChunkElements<T>; ++e) {
        const ImagePlace place = rows_(i, steps[e]);
        values.element[e] = inside_image(map_, place.h, place.w) ? data_[place.unit] : T{};
      }
      store_vector(reinterpret_cast<T*>(tile.chunk(row + i * Rows::kStep, chunk)), values);
    }
    column_ += kRowElements<T>;
  }

 private:
  using Rows = PixelRows<Extent, Threads>;

  const PixelMap& map_;
  const T* data_;
  int columns_;
  int column_;
  Rows rows_;
};

/// Pixels along K, taps and channels along N: the right factor of backward weights (of x).
template <class T, int Extent, int Threads>
class PixelDepthLoader {
 public:
  static constexpr Major kMajor = Major::mn;

  /// From column `first` (a multiple of a chunk) of `column_chunks`, for pixels in [begin, end).
  __device__ __forceinline__ PixelDepthLoader(const PixelMap& map, const T* data, int first, int column_chunks,
                                              int begin, int end)
      : map_(map), data_(data), row_(begin + static_cast<int>(threadIdx.x) / kRowChunks), end_(end) {
#pragma unroll
    for (int panel = 0; panel < kPanels; ++panel) {
      const int column = first / kChunkElements<T> + panel * kRowChunks + static_cast<int>(threadIdx.x) % kRowChunks;
      steps_[panel] = ImagePlace{kNowhere, kNowhere, 0};
      if (column < column_chunks) steps_[panel] = step_of_column(map_, column);
    }
  }

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::mn>& tile) {
    const int row = static_cast<int>(threadIdx.x) / kRowChunks;
    const int chunk = static_cast<int>(threadIdx.x) % kRowChunks;
#pragma unroll
    for (int i = 0; i < kDepth / kRowStep; ++i) {
      const int pixel = row_ + i * kRowStep;
      const ImagePlace place = place_of_row(map_, pixel);
#pragma unroll
      for (int panel = 0; panel < kPanels; ++panel) {
        const ImagePlace& step = steps_[panel];
        const bool valid = pixel < end_ && inside_image(map_, place.h + step.h, place.w + step.w);
        const T* source = data_ + static_cast<std::size_t>(place.unit + step.unit) * kChunkElements<T>;
        copy_async<16>(tile.chunk(panel * kDepth + row + i * kRowStep, chunk), source, valid);
      }
    }
    row_ += kDepth;
  }

 private:
  static constexpr int kDepth = kRowElements<T>;
  static constexpr int kRowStep = Threads / kRowChunks;
  static constexpr int kPanels = Extent / kRowElements<T>;

  const PixelMap& map_;
  const T* data_;
  int row_;
  int end_;
  ImagePlace steps_[kPanels];
};

/// Which taps of a kernel an axis of a PixelMap stands for: first, first + interval, ...
struct TapRange {
  int first = 0;
  int interval = 1;
};

/// One group's weights [outputs, taps, channels] in global memory.
template <class T>
struct ConvWeights {
  const T* data;
  FastDivisor outputs;
  int kernel_width;
  int taps;            ///< of the whole kernel
  int channel_chunks;  ///< of one tap
};

/// Weights with taps and outputs along K, channels along N: the right factor of backward data.
template <class T, int Extent, int Threads>
class WeightDepthLoader {
 public:
  static constexpr Major kMajor = Major::mn;

  /// From channel `first`; `map` says how taps are counted along K, `depth` its extent.
  __device__ __forceinline__ WeightDepthLoader(const ConvWeights<T>& weights, const PixelMap& map, const TapRange& h,
                                               const TapRange& w, int first, int depth)
      : weights_(weights),
        map_(map),
        h_(h),
        w_(w),
        column_(first / kChunkElements<T> + static_cast<int>(threadIdx.x) % kRowChunks),
        row_(static_cast<int>(threadIdx.x) / kRowChunks),
        depth_(depth) {}

  __device__ __forceinline__ void load(const SharedTile<T, Extent, Major::mn>& tile) {
    const int row = static_cast<int>(threadIdx.x) / kRowChunks;
    const int chunk = static_cast<int>(threadIdx.x) % kRowChunks;
#pragma unroll
    for (int i = 0; i < kDepth / kRowStep; ++i) {
      const int k = row_ + i * kRowStep;
      const int counted = weights_.outputs.quotient(k);
      const int output = weights_.outputs.remainder(k, counted);
      const int counted_h = map_.w.taps.quotient(counted);
      const int counted_w = map_.w.taps.remainder(counted, counted_h);
      const int tap = (h_.first + counted_h * h_.interval) * weights_.kernel_width + w_.first + counted_w * w_.interval;
      const std::int64_t place = (std::int64_t{output} * weights_.taps + tap) * weights_.channel_chunks + column_;
#pragma unroll
      for (int panel = 0; panel < Extent / kRowElements<T>; ++panel) {
        const bool valid = k < depth_ && column_ + panel * kRowChunks < weights_.channel_chunks;
        copy_async<16>(tile.chunk(panel * kDepth + row + i * kRowStep, chunk),
                       weights_.data + (place + panel * kRowChunks) * kChunkElements<T>, valid);
      }
    }
    row_ += kDepth;
  }

 private:
  static constexpr int kDepth = kRowElements<T>;
  static constexpr int kRowStep = Threads / kRowChunks;

  const ConvWeights<T>& weights_;
  const PixelMap& map_;
  const TapRange& h_;
  const TapRange& w_;
  int column_;
  int row_;
  int depth_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
