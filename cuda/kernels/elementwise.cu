// y[i] = f(x[i]) and y[i] = f(a[i], b[i]) over f32 or bf16, computed in f32.
//
// Threads: device/map.cuh.
// Bound: memory; 2 or 3 times count * size bytes.

#include "cuda/kernels/elementwise.h"

#include "cuda/kernels/device/map.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

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

}  // namespace

void add(const Stream& stream, DType dtype, const void* a, const void* b, void* y, std::int64_t count) {
  map_binary(stream, "add", dtype, a, b, y, count, Add{});
}
void scale(const Stream& stream, DType dtype, const void* x, const float* factor, void* y, std::int64_t count) {
  map_unary(stream, "scale", dtype, x, y, count, Scale{factor});
}
void relu_forward(const Stream& stream, DType dtype, const void* x, void* y, std::int64_t count) {
  map_unary(stream, "relu_forward", dtype, x, y, count, Relu{});
}
void relu_backward(const Stream& stream, DType dtype, const void* dy, const void* y, void* dx, std::int64_t count) {
  map_binary(stream, "relu_backward", dtype, dy, y, dx, count, ReluGradient{});
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
