// y[i] = x[i] as another dtype; f32 to bf16 rounds to nearest even.
//
// Threads: each converts four vectors of so many elements as fill 16 bytes of the wider dtype, neighbouring threads
// neighbouring ones; element by element where x or y does not start at a multiple of 16 bytes.
// Bound: memory; count * (size of x + size of y) bytes.

#include "cuda/kernels/cast.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;

template <class To, class From>
__device__ To converted(From value) {
  if constexpr (std::is_integral_v<To>) {
    return static_cast<To>(value);
  } else if constexpr (std::is_integral_v<From>) {
    return from_float<To>(static_cast<float>(value));
  } else {
    return from_float<To>(to_float(value));
  }
}

template <int N, class From, class To>
__global__ void cast_kernel(const From* x, To* y, std::int64_t count) {
  for_each_unrolled<kUnroll>(
      count / N, [&](std::int64_t i) { return load_vector<N>(x + i * N); },
      [&](std::int64_t i, const Vector<From, N>& from) {
        Vector<To, N> to;
#pragma unroll
        for (int k = 0; k < N; ++k) to.element[k] = converted<To>(from.element[k]);
        store_vector(y + i * N, to);
      });
  for_tail(count, N, [&](std::int64_t i) { y[i] = converted<To>(x[i]); });
}

template <class From, class To>
void cast_as(const Stream& stream, const void* x, void* y, std::int64_t count) {
  constexpr int kElements = 16 / static_cast<int>(std::max(sizeof(From), sizeof(To)));
  const auto* from = static_cast<const From*>(x);
  auto* to = static_cast<To*>(y);
  const bool aligned = aligned_to_16(from, to);
  launch(stream,
         {.kernel = "cast",
          .grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kUnroll),
          .block = kBlockThreads},
         aligned ? cast_kernel<kElements, From, To> : cast_kernel<1, From, To>, from, to, count);
}

template <class From>
void cast_integer(const Stream& stream, const void* x, DType to, void* y, std::int64_t count) {
  if (to == DType::i64) {
    cast_as<From, std::int64_t>(stream, x, y, count);
  } else {
    cast_as<From, std::int32_t>(stream, x, y, count);
  }
}

}  // namespace

void cast(const Stream& stream, DType from, const void* x, DType to, void* y, std::int64_t count) {
  if (from == DType::i64) return cast_integer<std::int64_t>(stream, x, to, y, count);
  if (from == DType::i32) return cast_integer<std::int32_t>(stream, x, to, y, count);
  with_float_type(to, [&](auto type) {
    using To = decltype(type);
    if (from == DType::u8) return cast_as<std::uint8_t, To>(stream, x, y, count);
    with_float_type(from, [&](auto source) { cast_as<decltype(source), To>(stream, x, y, count); });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
