// y[i] = (x[i] / 255 - mean[c]) / deviation[c], c = i % channels, of u8 pictures: a multiplication and an addition by
// factors that each block works out once into shared memory.
//
// Threads: each makes four 16-byte vectors of y out of as many elements of x, neighbouring threads neighbouring ones;
// element by element where x or y is not aligned.
// Bound: memory; count * (1 + size of y) bytes.

#include "cuda/kernels/normalize_images.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/divide.cuh"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/normalization.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;

template <int N, class Index, class T>
__global__ void normalize_images_kernel(const std::uint8_t* x, const float* mean, const float* deviation, T* y,
                                        std::int64_t count, Divider<Index> channels) {
  const Normalization normalization(mean, deviation, channels.divisor);
  const auto channel_of = [&](std::int64_t i) {
    auto c = static_cast<Index>(i);
    channels.split(c);
    return c;
  };
  for_each_unrolled<kUnroll>(
      count / N, [&](std::int64_t i) { return load_vector<N>(x + i * N); },
      [&](std::int64_t i, const Vector<std::uint8_t, N>& from) {
        Index c = channel_of(i * N);
        Vector<T, N> to;
#pragma unroll
        for (int k = 0; k < N; ++k) {
          to.element[k] = from_float<T>(normalization(c)(static_cast<float>(from.element[k])));
          c = c + 1 == channels.divisor ? 0 : c + 1;
        }
        store_vector(y + i * N, to);
      });
  for_tail(count, N,
           [&](std::int64_t i) { y[i] = from_float<T>(normalization(channel_of(i))(static_cast<float>(x[i]))); });
}

}  // namespace

void normalize_images(const Stream& stream, const std::uint8_t* x, const float* mean, const float* deviation,
                      DType dtype, void* y, std::int64_t count, std::int64_t channels) {
  if (count == 0) return;
  with_float_type(dtype, [&](auto type) {
    with_index_type(count, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      constexpr int kElements = kVectorElements<T>;
      auto* to = static_cast<T*>(y);
      const bool aligned = aligned_to_16(x, to);
      launch(stream,
             {.kernel = "normalize_images",
              .grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kUnroll),
              .block = kBlockThreads,
              .shared_bytes = Normalization::shared_bytes(channels)},
             aligned ? normalize_images_kernel<kElements, Index, T> : normalize_images_kernel<1, Index, T>, x, mean,
             deviation, to, count, Divider<Index>(channels));
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
