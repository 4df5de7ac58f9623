#include "engine/ops/activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/backend_agreement.h"
#include "tests/ops/gradient_check.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

struct Function {
  const char* name;
  Variable (*apply)(const Variable&);
  double (*exact)(double);
};

const Function kFunctions[] = {
    {"relu6", relu6, [](double x) { return std::min(std::max(x, 0.0), 6.0); }},
    {"silu", silu, [](double x) { return x / (1.0 + std::exp(-x)); }},
    {"sigmoid", sigmoid, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
};

/// Numbers in [-9, 9), none close to relu6's kinks at 0 and 6.
Variable wide_leaf(Backend& backend, const Shape& shape) {
  std::vector<double> values = random_values(shape.numel(), 1);
  for (double& value : values) {
    value *= 9.0;
    for (const double kink : {0.0, 6.0}) value += std::abs(value - kink) < 0.01 ? 0.1 : 0.0;
  }
  return Variable(from_host(backend, shape, DType::f64, values), true);
}

TEST(Activation, ValuesAreTheFunctions) {
  ReferenceBackend backend;
  const Variable x = wide_leaf(backend, {5, 13});
  const std::vector<double> from = to_host(x.value());
  for (const Function& f : kFunctions) {
    const std::vector<double> y = to_host(f.apply(x).value());
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], f.exact(from[i]), 1e-14) << f.name << " " << from[i];
  }
}

TEST(Activation, GradientIsRight) {
  ReferenceBackend backend;
  for (const Function& f : kFunctions) {
    const auto op = [&f](const std::vector<Variable>& in) { return f.apply(in[0]); };
    const GradientReport report = check_gradients(op, {wide_leaf(backend, {5, 13})});
    EXPECT_TRUE(report.ok) << f.name << ": " << report.str();
  }
}

TEST(Activation, AgreesOnEveryBackend) {
  for (const Function& f : kFunctions) {
    for (const Shape& shape : {Shape{2, 5, 7, 3}, Shape{1, 1}, Shape{0, 4}, Shape{33}}) {
      SCOPED_TRACE(f.name + shape.str());
      expect_agreement([&f](const auto& in) { return f.apply(in[0]); }, {shape}, 8.0);
    }
  }
}

TEST(Activation, RefusesIntegers) {
  ReferenceBackend backend;
  const Variable x(backend.zeros({4}, DType::i64));
  for (const Function& f : kFunctions) EXPECT_THROW(f.apply(x), Error) << f.name;
}

}  // namespace
}  // namespace graft::testing
