#include "engine/backend/activation.h"

#include <cmath>

#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// By the exponential of a number that is not positive, which cannot overflow. 1 - sigmoid(x) is sigmoid(-x).
double sigmoid(double x) {
  const double e = std::exp(-std::abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

double value_of(Activation activation, double x) {
  switch (activation) {
    case Activation::relu6:
      return x < 0.0 ? 0.0 : x > 6.0 ? 6.0 : x;
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::sigmoid:
      break;
  }
  return sigmoid(x);
}

/// dy times the derivative at x.
double gradient_of(Activation activation, double x, double dy) {
  switch (activation) {
    case Activation::relu6:
      return x > 0.0 && x < 6.0 ? dy : 0.0;
    case Activation::silu:
      return dy * (sigmoid(x) * (1.0 + x * sigmoid(-x)));
    case Activation::sigmoid:
      break;
  }
  return dy * (sigmoid(x) * sigmoid(-x));
}

}  // namespace

void ReferenceBackend::activation_forward(Activation activation, const Tensor& x, const Tensor& y) {
  check_activation_forward(*this, x, y);
  std::vector<double> values = load(x);
  for (double& value : values) value = value_of(activation, value);
  store(values, y);
}

void ReferenceBackend::activation_backward(Activation activation, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  check_activation_backward(*this, x, dy, dx);
  std::vector<double> values = load(dy);
  const std::vector<double> x_values = load(x);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = gradient_of(activation, x_values[i], values[i]);
  store(values, dx);
}

}  // namespace graft
