// The shortcut of He et al. 2016, option A: every stride-th row and column, channels between zeros; and its transpose.
//
// Threads: each makes one 16-byte vector of channels of the result; element by element where the channel counts, the
// zeros before the channels, or the addresses do not allow vectors.
// Bound: memory; the result once and what is kept of the input.

#include "cuda/kernels/subsample_pad.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// An image array [., height, width, channels].
struct Extents {
  std::int64_t height, width, channels;
  __device__ __forceinline__ std::int64_t offset(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) const {
    return ((n * height + h) * width + w) * channels + c;
  }
};

template <int N, class Index, class T>
__global__ void subsample_pad_forward_kernel(const T* x, Extents full, T* y, Extents sampled, int stride,
                                             std::int64_t count, ImageIndex<Index> place_of) {
  const std::int64_t zeros = (sampled.channels - full.channels) / 2;
  for_each_unrolled<1>(
      count,
      [&](std::int64_t i) {
        const auto [n, h, w, c] = place_of(i);
        const std::int64_t from = c - zeros;
        if (from < 0 || from >= full.channels) return Vector<T, N>{};
        return load_vector<N>(x + full.offset(n, h * stride, w * stride, from));
      },
      [&](std::int64_t i, const Vector<T, N>& vector) { store_vector(y + i * N, vector); });
}

template <int N, class Index, class T>
__global__ void subsample_pad_backward_kernel(const T* dy, Extents sampled, T* dx, Extents full, int stride,
                                              std::int64_t count, ImageIndex<Index> place_of) {
  const std::int64_t zeros = (sampled.channels - full.channels) / 2;
  for_each_unrolled<1>(
      count,
      [&](std::int64_t i) {
        const auto [n, h, w, c] = place_of(i);
        const auto row = static_cast<int>(h);
        const auto column = static_cast<int>(w);
        if (row % stride != 0 || column % stride != 0) return Vector<T, N>{};
        return load_vector<N>(dy + sampled.offset(n, row / stride, column / stride, c + zeros));
      },
      [&](std::int64_t i, const Vector<T, N>& vector) { store_vector(dx + i * N, vector); });
}

/// No row but the first is kept where the stride exceeds the image.
int stride_of(const SubsamplePad& shape) { return static_cast<int>(std::min<std::int64_t>(shape.stride, 0x7fffffff)); }

Extents full_extents(const SubsamplePad& shape) { return {shape.height, shape.width, shape.channels}; }
Extents sampled_extents(const SubsamplePad& shape) {
  return {divide_up(shape.height, shape.stride), divide_up(shape.width, shape.stride), shape.padded_channels};
}

/// body(type, index, vector) for the widest vectors that the shape and the addresses allow.
template <class Body>
void with_types(DType dtype, const SubsamplePad& shape, const void* x, const void* y, std::int64_t count,
                const Body& body) {
  with_float_type(dtype, [&](auto type) {
    constexpr int kElements = kVectorElements<decltype(type)>;
    const std::int64_t zeros = (shape.padded_channels - shape.channels) / 2;
    const bool vectors = shape.channels % kElements == 0 && shape.padded_channels % kElements == 0 &&
                         zeros % kElements == 0 && aligned_to_16(x, y);
    with_index_type(count, [&](auto index) {
      if (vectors) {
        body(type, index, std::integral_constant<int, kElements>{});
      } else {
        body(type, index, std::integral_constant<int, 1>{});
      }
    });
  });
}

}  // namespace

void subsample_pad_forward(const Stream& stream, DType dtype, const SubsamplePad& shape, const void* x, void* y) {
  const Extents full = full_extents(shape);
  const Extents sampled = sampled_extents(shape);
  const std::int64_t count = shape.images * sampled.height * sampled.width * sampled.channels;
  if (count == 0) return;
  with_types(dtype, shape, x, y, count, [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(
        stream, {.kernel = "subsample_pad_forward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
        subsample_pad_forward_kernel<kVector, Index, T>, static_cast<const T*>(x), full, static_cast<T*>(y), sampled,
        stride_of(shape), count / kVector, ImageIndex<Index>(sampled.height, sampled.width, sampled.channels, kVector));
  });
}

void subsample_pad_backward(const Stream& stream, DType dtype, const SubsamplePad& shape, const void* dy, void* dx) {
  const Extents full = full_extents(shape);
  const Extents sampled = sampled_extents(shape);
  const std::int64_t count = shape.images * full.height * full.width * full.channels;
  if (count == 0) return;
  with_types(dtype, shape, dy, dx, count, [&](auto type, auto index, auto vector) {
    using T = decltype(type);
    using Index = decltype(index);
    constexpr int kVector = decltype(vector)::value;
    launch(stream,
           {.kernel = "subsample_pad_backward", .grid = unrolled_grid(count / kVector, 1), .block = kBlockThreads},
           subsample_pad_backward_kernel<kVector, Index, T>, static_cast<const T*>(dy), sampled, static_cast<T*>(dx),
           full, stride_of(shape), count / kVector, ImageIndex<Index>(full.height, full.width, full.channels, kVector));
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
