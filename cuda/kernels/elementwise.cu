// y[i] = f(x[i]) and y[i] = f(a[i], b[i]) over f32 or bf16, computed in f32.
//
// Threads: grid-stride; each turn of a thread is one 16-byte access per array (4 elements of f32, 8 of bf16), the
// neighbouring thread takes the next 16 bytes. The last count % vector elements go one a thread. Arrays that do not
// start at a multiple of 16 bytes, as slices may, are taken element by element.
// Bound: memory; 2 or 3 times count * size bytes.

#include "cuda/kernels/elementwise.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kThreads = 256;

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
  __device__ float operator()(float x) const { return x * *factor; }
};

template <int N, class T, class F>
__global__ void map_unary(const T* x, T* y, std::int64_t count, F f) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::int64_t vectors = count / N;
  for (std::int64_t i = first; i < vectors; i += stride) {
    const Vector<T, N> from = load_vector<N>(x + i * N);
    Vector<T, N> to;
#pragma unroll
    for (int k = 0; k < N; ++k) to.element[k] = from_float<T>(f(to_float(from.element[k])));
    store_vector(y + i * N, to);
  }
  for (std::int64_t i = vectors * N + first; i < count; i += stride) y[i] = from_float<T>(f(to_float(x[i])));
}

template <int N, class T, class F>
__global__ void map_binary(const T* a, const T* b, T* y, std::int64_t count, F f) {
  const std::int64_t stride = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const std::int64_t vectors = count / N;
  for (std::int64_t i = first; i < vectors; i += stride) {
    const Vector<T, N> left = load_vector<N>(a + i * N);
    const Vector<T, N> right = load_vector<N>(b + i * N);
    Vector<T, N> to;
#pragma unroll
    for (int k = 0; k < N; ++k) to.element[k] = from_float<T>(f(to_float(left.element[k]), to_float(right.element[k])));
    store_vector(y + i * N, to);
  }
  for (std::int64_t i = vectors * N + first; i < count; i += stride)
    y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i])));
}

template <class F>
void unary(const Stream& stream, const char* name, DType dtype, const void* x, void* y, std::int64_t count, F f) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    constexpr int kElements = kVectorElements<T>;
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    const bool aligned = aligned_to_16(from, to);
    const std::int64_t turns = aligned ? (count + kElements - 1) / kElements : count;
    launch(stream, {.kernel = name, .grid = grid_stride_blocks(stream, turns, kThreads), .block = kThreads},
           aligned ? map_unary<kElements, T, F> : map_unary<1, T, F>, from, to, count, f);
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
    const std::int64_t turns = aligned ? (count + kElements - 1) / kElements : count;
    launch(stream, {.kernel = name, .grid = grid_stride_blocks(stream, turns, kThreads), .block = kThreads},
           aligned ? map_binary<kElements, T, F> : map_binary<1, T, F>, left, right, to, count, f);
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
