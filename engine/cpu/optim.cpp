#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"
#include "engine/cpu/simd.h"

// Optimizer steps over whole groups: the tensors are one long array to the threads, so that each has its share of the
// elements however the sizes are spread.

namespace graft {

namespace {

using simd::f32x8;

std::int64_t total_elements(std::span<const Tensor> tensors) {
  std::int64_t total = 0;
  for (const Tensor& tensor : tensors) total += tensor.numel();
  return total;
}

/// body(t, begin, end) for the parts of tensors that elements [begin, end) of the long array fall on.
template <class Body>
void for_parts(std::span<const Tensor> tensors, std::int64_t begin, std::int64_t end, const Body& body) {
  std::int64_t first = 0;
  for (std::size_t t = 0; t < tensors.size() && first < end; ++t) {
    const std::int64_t last = first + tensors[t].numel();
    if (last > begin) body(t, std::max(begin, first) - first, std::min(end, last) - first);
    first = last;
  }
}

struct SgdFactors {
  float lr;
  float gradient_scale;
  float weight_decay;
  float momentum;
};

template <bool kMomentum, bool kNesterov>
void sgd_range(const SgdFactors& by, float* p, const float* gradient, float* velocity, std::int64_t begin,
               std::int64_t end) {
  simd::for_vectors(begin, end, [=](std::int64_t i, auto lanes) {
    const f32x8 parameter = simd::load(p + i, lanes);
    const f32x8 g = simd::load(gradient + i, lanes) * by.gradient_scale + parameter * by.weight_decay;
    f32x8 step = g;
    if constexpr (kMomentum) {
      const f32x8 v = simd::load(velocity + i, lanes) * by.momentum + g;
      simd::store(velocity + i, v, lanes);
      step = kNesterov ? g + v * by.momentum : v;
    }
    simd::store(p + i, parameter - step * by.lr, lanes);
  });
}

struct AdamWFactors {
  float gradient_scale;
  float beta1;
  float beta2;
  float new_first;    ///< 1 - beta1, rounded once: 1.0f - 0.999f has lost five of its digits
  float new_second;   ///< 1 - beta2
  float keep;         ///< 1 - lr weight_decay
  float step_size;    ///< lr / (1 - beta1^t)
  float second_root;  ///< 1 / sqrt(1 - beta2^t)
  float eps;
};

void adamw_range(const AdamWFactors& by, float* p, const float* gradient, float* first, float* second,
                 std::int64_t begin, std::int64_t end) {
  simd::for_vectors(begin, end, [=](std::int64_t i, auto lanes) {
    const f32x8 g = simd::load(gradient + i, lanes) * by.gradient_scale;
    const f32x8 m = simd::load(first + i, lanes) * by.beta1 + g * by.new_first;
    const f32x8 v = simd::load(second + i, lanes) * by.beta2 + g * g * by.new_second;
    const f32x8 step = m * by.step_size / (simd::square_root(v) * by.second_root + by.eps);
    simd::store(first + i, m, lanes);
    simd::store(second + i, v, lanes);
    simd::store(p + i, simd::load(p + i, lanes) * by.keep - step, lanes);
  });
}

/// Sum of squares in f64: gradients of any finite size have a norm.
double sum_of_squares(const float* x, std::int64_t begin, std::int64_t end) {
  simd::f64x4 low{};
  simd::f64x4 high{};
  simd::for_vectors(begin, end, [&](std::int64_t i, auto lanes) {
    const f32x8 value = simd::load(x + i, lanes);
    low += simd::low_f64(value) * simd::low_f64(value);
    high += simd::high_f64(value) * simd::high_f64(value);
  });
  const simd::f64x4 sum = low + high;
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

float scalar_or_one(const Tensor& tensor) { return tensor.defined() ? *tensor.data<float>() : 1.0f; }

}  // namespace

void CpuBackend::sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                          std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                          const SgdOptions& options) {
  check_sgd_step(*this, parameters, gradients, velocity, lr, gradient_scale, options);
  enter();
  const SgdFactors factors{*lr.data<float>(), scalar_or_one(gradient_scale), static_cast<float>(options.weight_decay),
                           static_cast<float>(options.momentum)};
  const auto range =
      velocity.empty() ? sgd_range<false, false> : (options.nesterov ? sgd_range<true, true> : sgd_range<true, false>);
  parallel_for(total_elements(parameters), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    for_parts(parameters, begin, end, [&](std::size_t t, std::int64_t first, std::int64_t last) {
      range(factors, parameters[t].data<float>(), gradients[t].data<float>(),
            velocity.empty() ? nullptr : velocity[t].data<float>(), first, last);
    });
  });
}

void CpuBackend::adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                            std::span<const Tensor> first_moment, std::span<const Tensor> second_moment,
                            const Tensor& lr, const Tensor& step, const Tensor& gradient_scale,
                            const AdamWOptions& options) {
  check_adamw_step(*this, parameters, gradients, first_moment, second_moment, lr, step, gradient_scale, options);
  enter();
  const auto rate = static_cast<double>(*lr.data<float>());
  const auto number = static_cast<double>(*step.data<std::int64_t>());
  const double first_correction = 1.0 - std::pow(options.beta1, number);
  const double second_correction = 1.0 - std::pow(options.beta2, number);
  const AdamWFactors factors{.gradient_scale = scalar_or_one(gradient_scale),
                             .beta1 = static_cast<float>(options.beta1),
                             .beta2 = static_cast<float>(options.beta2),
                             .new_first = static_cast<float>(1.0 - options.beta1),
                             .new_second = static_cast<float>(1.0 - options.beta2),
                             .keep = static_cast<float>(1.0 - rate * options.weight_decay),
                             .step_size = static_cast<float>(rate / first_correction),
                             .second_root = static_cast<float>(1.0 / std::sqrt(second_correction)),
                             .eps = static_cast<float>(options.eps)};
  parallel_for(total_elements(parameters), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
    for_parts(parameters, begin, end, [&](std::size_t t, std::int64_t first, std::int64_t last) {
      adamw_range(factors, parameters[t].data<float>(), gradients[t].data<float>(), first_moment[t].data<float>(),
                  second_moment[t].data<float>(), first, last);
    });
  });
}

std::size_t CpuBackend::clip_scratch_bytes(std::span<const Tensor>) {
  return static_cast<std::size_t>(threads_) * sizeof(double);
}

void CpuBackend::clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                            const Tensor& scale, const Tensor& norm) {
  check_clip_scale(*this, gradients, max_norm, scratch, scale, norm);
  check_scratch("clip_scale", *this, scratch, clip_scratch_bytes(gradients));
  enter();
  auto* squares = static_cast<double*>(scratch.raw());
  const auto range = [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
    double sum = 0.0;
    for_parts(gradients, begin, end, [&](std::size_t t, std::int64_t first, std::int64_t last) {
      sum += sum_of_squares(gradients[t].data<float>(), first, last);
    });
    squares[slot] = sum;
  };
  const std::int64_t slots = parallel_slots(threads_, total_elements(gradients), kElementGrain, range);
  double total = 0.0;
  for (std::int64_t slot = 0; slot < slots; ++slot) total += squares[slot];
  const double length = std::sqrt(total);
  const double ratio = max_norm / (length + 1e-6);
  // A NaN norm gives a NaN factor, as in PyTorch: a step that has diverged shall show it.
  *scale.data<float>() = static_cast<float>(ratio > 1.0 ? 1.0 : ratio);
  *norm.data<float>() = static_cast<float>(length);
}

void CpuBackend::advance(const Tensor& counter) {
  check_advance(*this, counter);
  *counter.data<std::int64_t>() += 1;
}

}  // namespace graft
