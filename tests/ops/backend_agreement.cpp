#include "tests/ops/backend_agreement.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/reference/reference_backend.h"
#include "tests/backend/backends_under_test.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

using Function = std::function<Variable(const std::vector<Variable>&)>;

// The numbers that every run starts from: rounded to bf16, so that no run rounds them again.
Tensor start(Backend& backend, const Shape& shape, DType dtype, std::uint64_t seed) {
  std::vector<double> values = random_values(shape.numel(), seed);
  for (double& value : values) value = static_cast<double>(static_cast<float>(bfloat16(static_cast<float>(value))));
  return from_host(backend, shape, dtype, values);
}

// Lets the pool's next block of this size hold NaN.
void poison(Backend& backend, const Shape& shape, DType dtype) {
  backend.fill(std::numeric_limits<double>::quiet_NaN(), backend.empty(shape, dtype));
}

// The output, then the gradient of each input.
std::vector<std::vector<double>> run(const Function& function, Backend& backend, const std::vector<Shape>& shapes,
                                     DType dtype) {
  std::vector<Variable> inputs;
  for (const Shape& shape : shapes) inputs.emplace_back(start(backend, shape, dtype, inputs.size()), true);
  Shape y_shape;
  {
    const NoGradScope no_grad;
    y_shape = function(inputs).shape();
  }
  poison(backend, y_shape, dtype);
  const Variable y = function(inputs);
  const Tensor dy = start(backend, y.shape(), dtype, 100);
  for (const Shape& shape : shapes) poison(backend, shape, dtype);
  backward(y, dy);
  std::vector<std::vector<double>> results{to_host(y.value())};
  for (const Variable& input : inputs) results.push_back(to_host(input.grad()));
  return results;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& exact, double relative) {
  ASSERT_EQ(got.size(), exact.size());
  double largest = 0.0;
  for (const double value : exact) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_LE(std::abs(got[i] - exact[i]), relative * largest)
        << "element " << i << " is " << got[i] << ", it must be " << exact[i];
  }
}

}  // namespace

void expect_agreement(const Function& function, const std::vector<Shape>& inputs, double roundings) {
  ReferenceBackend reference;
  const auto exact = run(function, reference, inputs, DType::f64);
  for (const BackendUnderTest& candidate : backends_under_test()) {
    const auto backend = candidate.make();
    for (const DType dtype : {DType::f32, DType::bf16}) {
      if (!backend->supports(dtype)) continue;
      SCOPED_TRACE(candidate.name + " in " + std::string(name_of(dtype)));
      const auto got = run(function, *backend, inputs, dtype);
      for (std::size_t i = 0; i < exact.size(); ++i) {
        SCOPED_TRACE(i == 0 ? "output" : "gradient of input " + std::to_string(i - 1));
        expect_near(got[i], exact[i], roundings * (dtype == DType::bf16 ? 0x1p-9 : 0x1p-24));
      }
    }
  }
}

}  // namespace graft::testing
