#pragma once

#include <cstdint>

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

// y[i] = f(x[i]) and y[i] = f(a[i], b[i]) over f32 or bf16, computed in f32. y may be x, a or b.
//
// Threads: each moves four (two of each array, where there are two) 16-byte vectors, all loads before the first store;
// neighbouring threads take neighbouring vectors (device/grid.cuh). The last count % vector elements go one a thread.
// Arrays that do not start at a multiple of 16 bytes, as slices may, are taken element by element.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

inline constexpr int kUnaryVectors = 4;
inline constexpr int kBinaryVectors = 2;

template <class T, int N>
struct VectorPair {
  Vector<T, N> a, b;
};

template <int N, class T, class F>
__global__ void map_unary_kernel(const T* x, T* y, std::int64_t count, F f) {
  for_each_unrolled<kUnaryVectors>(
      count / N, [&](std::int64_t i) { return load_vector<N>(x + i * N); },
      [&](std::int64_t i, const Vector<T, N>& from) {
        float to[N];
#pragma unroll
        for (int k = 0; k < N; ++k) to[k] = f(to_float(from.element[k]));
        store_floats<N>(y + i * N, to);
      });
  for_tail(count, N, [&](std::int64_t i) { y[i] = from_float<T>(f(to_float(x[i]))); });
}

template <int N, class T, class F>
__global__ void map_binary_kernel(const T* a, const T* b, T* y, std::int64_t count, F f) {
  for_each_unrolled<kBinaryVectors>(
      count / N,
      [&](std::int64_t i) {
        return VectorPair<T, N>{load_vector<N>(a + i * N), load_vector<N>(b + i * N)};
      },
      [&](std::int64_t i, const VectorPair<T, N>& from) {
        float to[N];
#pragma unroll
        for (int k = 0; k < N; ++k) to[k] = f(to_float(from.a.element[k]), to_float(from.b.element[k]));
        store_floats<N>(y + i * N, to);
      });
  for_tail(count, N, [&](std::int64_t i) { y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i]))); });
}

/// Launches y[i] = f(x[i]); f takes and gives floats.
template <class F>
void map_unary(const Stream& stream, const char* name, DType dtype, const void* x, void* y, std::int64_t count, F f) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = kVectorElements<T>;
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    const bool aligned = aligned_to_16(from, to);
    const dim3 grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kUnaryVectors);
    launch(stream, {.kernel = name, .grid = grid, .block = kBlockThreads},
           aligned ? map_unary_kernel<kElements, T, F> : map_unary_kernel<1, T, F>, from, to, count, f);
  });
}

/// Launches y[i] = f(a[i], b[i]).
template <class F>
void map_binary(const Stream& stream, const char* name, DType dtype, const void* a, const void* b, void* y,
                std::int64_t count, F f) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = kVectorElements<T>;
    const auto* left = static_cast<const T*>(a);
    const auto* right = static_cast<const T*>(b);
    auto* to = static_cast<T*>(y);
    const bool aligned = aligned_to_16(left, right, to);
    const dim3 grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kBinaryVectors);
    launch(stream, {.kernel = name, .grid = grid, .block = kBlockThreads},
           aligned ? map_binary_kernel<kElements, T, F> : map_binary_kernel<1, T, F>, left, right, to, count, f);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
