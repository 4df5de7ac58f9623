// y = f(x) and dx = dy f'(x) for ReLU6, SiLU and the sigmoid, over f32 or bf16, computed in f32.
//
// Threads: device/map.cuh. One exponential of what is not positive serves sigmoid(x) and 1 - sigmoid(x): nothing
// overflows or cancels.
// Bound: memory; 2 or 3 times count * size bytes. With the exponential and a division an element takes some thirty
// instructions, a third of what a GPU does in the time of its eight bytes.

#include "cuda/kernels/activation.h"

#include "cuda/kernels/device/logistic.cuh"
#include "cuda/kernels/device/map.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

struct Relu6 {
  __device__ float operator()(float x) const { return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x; }
};
struct Relu6Gradient {
  __device__ float operator()(float x, float dy) const { return x > 0.0f && x < 6.0f ? dy : 0.0f; }
};
struct Silu {
  __device__ float operator()(float x) const { return x * Logistic(x).value; }
};
struct SiluGradient {
  __device__ float operator()(float x, float dy) const {
    const Logistic s(x);
    return dy * (s.value * fmaf(x, s.complement, 1.0f));
  }
};
struct Sigmoid {
  __device__ float operator()(float x) const { return Logistic(x).value; }
};
struct SigmoidGradient {
  __device__ float operator()(float x, float dy) const {
    const Logistic s(x);
    return dy * (s.value * s.complement);
  }
};

}  // namespace

void activation_forward(const Stream& stream, Activation activation, DType dtype, const void* x, void* y,
                        std::int64_t count) {
  switch (activation) {
    case Activation::relu6:
      return map_unary(stream, "relu6_forward", dtype, x, y, count, Relu6{});
    case Activation::silu:
      return map_unary(stream, "silu_forward", dtype, x, y, count, Silu{});
    case Activation::sigmoid:
      return map_unary(stream, "sigmoid_forward", dtype, x, y, count, Sigmoid{});
  }
}

void activation_backward(const Stream& stream, Activation activation, DType dtype, const void* x, const void* dy,
                         void* dx, std::int64_t count) {
  switch (activation) {
    case Activation::relu6:
      return map_binary(stream, "relu6_backward", dtype, x, dy, dx, count, Relu6Gradient{});
    case Activation::silu:
      return map_binary(stream, "silu_backward", dtype, x, dy, dx, count, SiluGradient{});
    case Activation::sigmoid:
      return map_binary(stream, "sigmoid_backward", dtype, x, dy, dx, count, SigmoidGradient{});
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
