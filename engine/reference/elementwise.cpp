#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

void ReferenceBackend::fill(double value, const Tensor& y) {
  check_fill(*this, y);
  store(std::vector<double>(static_cast<std::size_t>(y.numel()), value), y);
}

void ReferenceBackend::cast(const Tensor& x, const Tensor& y) {
  check_cast(*this, x, y);
  // 64-bit integers do not all fit a double: they take the short way.
  if (x.dtype() == DType::i64 && y.dtype() == DType::i64) return copy(x, y);
  store(load(x), y);
}

void ReferenceBackend::copy(const Tensor& x, const Tensor& y) {
  check_copy(*this, x, y);
  if (x.nbytes() > 0) std::memcpy(y.raw(), x.raw(), x.nbytes());
}

void ReferenceBackend::add(const Tensor& a, const Tensor& b, const Tensor& y) {
  check_add(*this, a, b, y);
  std::vector<double> sums = load(a);
  const std::vector<double> b_values = load(b);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += b_values[i];
  store(sums, y);
}

void ReferenceBackend::accumulate(const Tensor& x, const Tensor& y) {
  check_accumulate(*this, x, y);
  add(y, x, y);
}

void ReferenceBackend::scale(const Tensor& x, const Tensor& factor, const Tensor& y) {
  check_scale(*this, x, factor, y);
  const double multiplier = load(factor)[0];
  std::vector<double> values = load(x);
  for (double& value : values) value *= multiplier;
  store(values, y);
}

void ReferenceBackend::relu_forward(const Tensor& x, const Tensor& y) {
  check_relu_forward(*this, x, y);
  std::vector<double> values = load(x);
  // NaN stays: a network that has diverged shall show it.
  std::replace_if(
      values.begin(), values.end(), [](double value) { return value < 0.0; }, 0.0);
  store(values, y);
}

void ReferenceBackend::relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  check_relu_backward(*this, dy, y, dx);
  std::vector<double> values = load(dy);
  const std::vector<double> y_values = load(y);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = y_values[i] > 0.0 ? values[i] : 0.0;
  store(values, dx);
}

void ReferenceBackend::dropout(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_dropout(*this, x, options, step, y);
  const auto step_number = static_cast<std::uint64_t>(*step.data<std::int64_t>());
  std::vector<double> values = load(x);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool kept = static_cast<double>(uniform_float(options.random.word(step_number, i))) >= options.p;
    values[i] = kept ? values[i] / (1.0 - options.p) : 0.0;
  }
  store(values, y);
}

void ReferenceBackend::drop_path(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_drop_path(*this, x, options, step, y);
  const auto step_number = static_cast<std::uint64_t>(*step.data<std::int64_t>());
  std::vector<double> values = load(x);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t image = i / (values.size() / static_cast<std::size_t>(x.dim(0)));
    const bool kept = static_cast<double>(uniform_float(options.random.word(step_number, image))) >= options.p;
    values[i] = kept ? values[i] / (1.0 - options.p) : 0.0;
  }
  store(values, y);
}

void ReferenceBackend::normalize_images(const Tensor& x, const Tensor& mean, const Tensor& deviation, const Tensor& y) {
  check_normalize_images(*this, x, mean, deviation, y);
  std::vector<double> values = load(x);
  const std::vector<double> means = load(mean);
  const std::vector<double> deviations = load(deviation);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t c = i % means.size();
    values[i] = (values[i] / 255.0 - means[c]) / deviations[c];
  }
  store(values, y);
}

}  // namespace graft
