#include <cmath>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

double scalar_or_one(const Tensor& tensor) { return tensor.defined() ? load(tensor)[0] : 1.0; }

}  // namespace

void ReferenceBackend::sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                                std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                                const SgdOptions& options) {
  check_sgd_step(*this, parameters, gradients, velocity, lr, gradient_scale, options);
  const double rate = load(lr)[0];
  const double factor = scalar_or_one(gradient_scale);
  for (std::size_t t = 0; t < parameters.size(); ++t) {
    std::vector<double> p = load(parameters[t]);
    const std::vector<double> grad = load(gradients[t]);
    std::vector<double> v = velocity.empty() ? std::vector<double>(p.size()) : load(velocity[t]);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double g = factor * grad[i] + options.weight_decay * p[i];
      v[i] = options.momentum * v[i] + g;
      p[i] -= rate * (options.nesterov ? g + options.momentum * v[i] : v[i]);
    }
    store(p, parameters[t]);
    if (!velocity.empty()) store(v, velocity[t]);
  }
}

void ReferenceBackend::adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                                  std::span<const Tensor> first_moment, std::span<const Tensor> second_moment,
                                  const Tensor& lr, const Tensor& step, const Tensor& gradient_scale,
                                  const AdamWOptions& options) {
  check_adamw_step(*this, parameters, gradients, first_moment, second_moment, lr, step, gradient_scale, options);
  const double rate = load(lr)[0];
  const double factor = scalar_or_one(gradient_scale);
  const double number = load(step)[0];
  const double first_correction = 1.0 - std::pow(options.beta1, number);
  const double second_correction = 1.0 - std::pow(options.beta2, number);
  for (std::size_t t = 0; t < parameters.size(); ++t) {
    std::vector<double> p = load(parameters[t]);
    std::vector<double> m = load(first_moment[t]);
    std::vector<double> v = load(second_moment[t]);
    const std::vector<double> grad = load(gradients[t]);
    for (std::size_t i = 0; i < p.size(); ++i) {
      const double g = factor * grad[i];
      m[i] = options.beta1 * m[i] + (1.0 - options.beta1) * g;
      v[i] = options.beta2 * v[i] + (1.0 - options.beta2) * g * g;
      p[i] *= 1.0 - rate * options.weight_decay;
      p[i] -= rate * (m[i] / first_correction) / (std::sqrt(v[i] / second_correction) + options.eps);
    }
    store(p, parameters[t]);
    store(m, first_moment[t]);
    store(v, second_moment[t]);
  }
}

void ReferenceBackend::clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                                  const Tensor& scale, const Tensor& norm) {
  check_clip_scale(*this, gradients, max_norm, scratch, scale, norm);
  double squares = 0.0;
  for (const Tensor& gradient : gradients) {
    for (const double g : load(gradient)) squares += g * g;
  }
  const double length = std::sqrt(squares);
  const double ratio = max_norm / (length + 1e-6);
  // A NaN norm gives a NaN factor, as in PyTorch: a step that has diverged shall show it.
  store({ratio > 1.0 ? 1.0 : ratio}, scale);
  store({length}, norm);
}

void ReferenceBackend::advance(const Tensor& counter) {
  check_advance(*this, counter);
  *counter.data<std::int64_t>() += 1;
}

std::size_t ReferenceBackend::clip_scratch_bytes(std::span<const Tensor>) { return 0; }

}  // namespace graft
