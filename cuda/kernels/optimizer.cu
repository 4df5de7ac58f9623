// SGD with momentum and AdamW over all tensors of a parameter group by one launch, or one for each 256 tensors.
//
// Threads: a block has 4096 neighbouring elements of one tensor, which it finds by halving the table in its arguments;
// a thread takes 16-byte vectors of each array, two at a time, neighbouring threads neighbouring ones; element by
// element where an array does not start at a multiple of 16 bytes. Bound: memory; 12 bytes an element for plain SGD, 20
// with momentum, 28 for AdamW.

#include "cuda/kernels/optimizer.h"

#include <cmath>

#include "cuda/kernels/device/tensor_table.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

// Which array of a row is which.
constexpr int kParameter = 0;
constexpr int kGradient = 1;
constexpr int kVelocity = 2;
constexpr int kFirstMoment = 2;
constexpr int kSecondMoment = 3;

__device__ __forceinline__ float scalar_or_one(const float* scalar) { return scalar == nullptr ? 1.0f : *scalar; }

template <bool kMomentum>
struct Sgd {
  static constexpr int kStreams = kMomentum ? 3 : 2;
  SgdStep step;

  struct Update {
    float lr, gradient_scale, weight_decay, momentum;
    bool nesterov;

    /// One element of each array.
    __device__ __forceinline__ void operator()(float (&value)[kStreams]) const {
      const float g = fmaf(weight_decay, value[kParameter], gradient_scale * value[kGradient]);
      float direction = g;
      if constexpr (kMomentum) {
        value[kVelocity] = fmaf(momentum, value[kVelocity], g);
        direction = nesterov ? fmaf(momentum, value[kVelocity], g) : value[kVelocity];
      }
      value[kParameter] = fmaf(-lr, direction, value[kParameter]);
    }
  };
  __device__ __forceinline__ Update update() const {
    return {*step.lr, scalar_or_one(step.gradient_scale), step.weight_decay, step.momentum, step.nesterov};
  }
};

struct AdamW {
  static constexpr int kStreams = 4;
  const float* lr;
  const std::int64_t* step;
  const float* gradient_scale;
  float beta1, beta2;
  float new_first, new_second;  ///< 1 - beta, rounded once: 1.0f - 0.999f has lost ten of its bits
  double log_beta1, log_beta2;
  double weight_decay;
  float eps;

  struct Update {
    float gradient_scale, beta1, beta2, new_first, new_second;
    float keep;         ///< 1 - lr weight_decay
    float step_size;    ///< lr / (1 - beta1^t)
    float second_root;  ///< 1 / sqrt(1 - beta2^t)
    float eps;

    /// One element of each array.
    __device__ __forceinline__ void operator()(float (&value)[kStreams]) const {
      const float g = gradient_scale * value[kGradient];
      value[kFirstMoment] = fmaf(beta1, value[kFirstMoment], new_first * g);
      value[kSecondMoment] = fmaf(beta2, value[kSecondMoment], new_second * g * g);
      const float divisor = fmaf(sqrtf(value[kSecondMoment]), second_root, eps);
      value[kParameter] = fmaf(value[kParameter], keep, -(step_size * value[kFirstMoment] / divisor));
    }
  };
  /// 1 - beta^t as -expm1(t log beta): no digits are lost where beta^t is near 1.
  __device__ __forceinline__ Update update() const {
    const auto number = static_cast<double>(*step);
    const float first_correction = -expm1f(static_cast<float>(number * log_beta1));
    const float second_correction = -expm1f(static_cast<float>(number * log_beta2));
    return {scalar_or_one(gradient_scale),
            beta1,
            beta2,
            new_first,
            new_second,
            static_cast<float>(1.0 - static_cast<double>(*lr) * weight_decay),
            *lr / first_correction,
            1.0f / sqrtf(second_correction),
            eps};
  }
};

template <int kStreams, class Update>
__device__ __forceinline__ void update_vector(const TensorPiece<kStreams>& piece, std::int64_t at,
                                              Vector<float, 4> (&vectors)[kStreams], const Update& update) {
#pragma unroll
  for (int k = 0; k < 4; ++k) {
    float value[kStreams];
#pragma unroll
    for (int s = 0; s < kStreams; ++s) value[s] = vectors[s].element[k];
    update(value);
#pragma unroll
    for (int s = 0; s < kStreams; ++s) vectors[s].element[k] = value[s];
  }
#pragma unroll
  for (int s = 0; s < kStreams; ++s) {
    if (s != kGradient) store_vector(piece.data[s] + at, vectors[s]);
  }
}

template <int kStreams, class Update>
__device__ __forceinline__ void update_element(const TensorPiece<kStreams>& piece, std::int64_t at,
                                               const Update& update) {
  float value[kStreams];
#pragma unroll
  for (int s = 0; s < kStreams; ++s) value[s] = piece.data[s][at];
  update(value);
#pragma unroll
  for (int s = 0; s < kStreams; ++s) {
    if (s != kGradient) piece.data[s][at] = value[s];
  }
}

template <class Optimizer>
__global__ void optimizer_kernel(const __grid_constant__ TensorTable<Optimizer::kStreams> table, Optimizer optimizer) {
  constexpr int kStreams = Optimizer::kStreams;
  constexpr int kUnroll = 2;
  constexpr std::int64_t kStep = std::int64_t{4} * kBlockThreads;  // elements between a thread's vectors
  const auto update = optimizer.update();
  const TensorPiece<kStreams> piece(table);
  const std::int64_t whole = piece.aligned ? piece.count / 4 * 4 : 0;
  for (std::int64_t first = std::int64_t{threadIdx.x} * 4; first < whole; first += kUnroll * kStep) {
    Vector<float, 4> vectors[kUnroll][kStreams] = {};
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (first + u * kStep >= whole) continue;
#pragma unroll
      for (int s = 0; s < kStreams; ++s) vectors[u][s] = load_vector<4>(piece.data[s] + first + u * kStep);
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      if (first + u * kStep < whole) update_vector(piece, first + u * kStep, vectors[u], update);
    }
  }
  for (std::int64_t i = whole + threadIdx.x; i < piece.count; i += kBlockThreads) update_element(piece, i, update);
}

template <class Optimizer>
void launch_optimizer(const Stream& stream, const char* name, const TensorGroup<Optimizer::kStreams>& group,
                      const Optimizer& optimizer) {
  for_each_table(group, [&](const TensorTable<Optimizer::kStreams>& table) {
    launch(stream, {.kernel = name, .grid = table.blocks, .block = kBlockThreads}, optimizer_kernel<Optimizer>, table,
           optimizer);
  });
}

__global__ void advance_kernel(std::int64_t* counter) {
  if (threadIdx.x == 0) *counter += 1;
}

}  // namespace

void sgd_step(const Stream& stream, const TensorGroup<2>& group, const SgdStep& step) {
  launch_optimizer(stream, "sgd", group, Sgd<false>{step});
}

void sgd_momentum_step(const Stream& stream, const TensorGroup<3>& group, const SgdStep& step) {
  launch_optimizer(stream, "sgd_momentum", group, Sgd<true>{step});
}

void adamw_step(const Stream& stream, const TensorGroup<4>& group, const AdamWStep& step) {
  const AdamW optimizer{.lr = step.lr,
                        .step = step.step,
                        .gradient_scale = step.gradient_scale,
                        .beta1 = static_cast<float>(step.beta1),
                        .beta2 = static_cast<float>(step.beta2),
                        .new_first = static_cast<float>(1.0 - step.beta1),
                        .new_second = static_cast<float>(1.0 - step.beta2),
                        .log_beta1 = std::log(step.beta1),
                        .log_beta2 = std::log(step.beta2),
                        .weight_decay = step.weight_decay,
                        .eps = static_cast<float>(step.eps)};
  launch_optimizer(stream, "adamw", group, optimizer);
}

void advance(const Stream& stream, std::int64_t* counter) {
  launch(stream, {.kernel = "advance", .grid = 1, .block = 32}, advance_kernel, counter);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
