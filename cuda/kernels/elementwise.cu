// y[i] = f(x[i]) and y[i] = f(a[i], b[i]) over f32 or bf16, computed in f32.
//
// Threads: each moves four (two of each array, where there are two) 16-byte vectors, all loads before the first store;
// neighbouring threads take neighbouring vectors (device/grid.cuh). The last count % vector elements go one a thread.
// Arrays that do not start at a multiple of 16 bytes, as slices may, are taken element by element.
// Bound: memory; 2 or 3 times count * size bytes.

#include "cuda/kernels/elementwise.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnary = 4;
constexpr int kBinary = 2;

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Relu {
  __device__ float operator()(float x) const { return x > 0.0f || isnan(x) ? x : 0.0f; }
};
struct ReluGradient {
  __device__ float operator()(float dy, float y) const { return y > 0.0f ? dy : 0.0f; }
};
struct Scale {
  const float* factor;
  __device__ float operator()(float x) const { return x * __ldg(factor); }
};

template <class T, int N>
struct VectorPair {
  Vector<T, N> a, b;
};

template <int N, class T, class F>
__global__ void map_unary_kernel(const T* x, T* y, std::int64_t count, F f) {
  for_each_unrolled<kUnary>(
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
  for_each_unrolled<kBinary>(
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

template <class F>
void unary(const Stream& stream, const char* name, DType dtype, const void* x, void* y, std::int64_t count, F f) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = kVectorElements<T>;
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    const bool aligned = aligned_to_16(from, to);
    const dim3 grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kUnary);
    launch(stream, {.kernel = name, .grid = grid, .block = kBlockThreads},
           aligned ? map_unary_kernel<kElements, T, F> : map_unary_kernel<1, T, F>, from, to, count, f);
  });
}

template <class F>
void binary(const Stream& stream, const char* name, DType dtype, const void* a, const void* b, void* y,
            std::int64_t count, F f) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = kVectorElements<T>;
    const auto* left = static_cast<const T*>(a);
    const auto* right = static_cast<const T*>(b);
    auto* to = static_cast<T*>(y);
    const bool aligned = aligned_to_16(left, right, to);
    const dim3 grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kBinary);
    launch(stream, {.kernel = name, .grid = grid, .block = kBlockThreads},
           aligned ? map_binary_kernel<kElements, T, F> : map_binary_kernel<1, T, F>, left, right, to, count, f);
  });
}

}  // namespace

void add(const Stream& stream, DType dtype, const void* a, const void* b, void* y, std::int64_t count) {
  binary(stream, "add", dtype, a, b, y, count, Add{});
}
void scale(const Stream& stream, DType dtype, const void* x, const float* factor, void* y, std::int64_t count) {
  unary(stream, "scale", dtype, x, y, count, Scale{factor});
}
void relu_forward(const Stream& stream, DType dtype, const void* x, void* y, std::int64_t count) {
  unary(stream, "relu_forward", dtype, x, y, count, Relu{});
}
void relu_backward(const Stream& stream, DType dtype, const void* dy, const void* y, void* dx, std::int64_t count) {
  binary(stream, "relu_backward", dtype, dy, y, dx, count, ReluGradient{});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
