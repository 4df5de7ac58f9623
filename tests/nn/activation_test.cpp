#include "engine/nn/activation.h"

#include <gtest/gtest.h>

#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

TEST(ActivationLayer, IsTheOperation) {
  ReferenceBackend backend;
  std::vector<double> values = random_values(65, 1);
  for (double& value : values) value *= 9.0;
  const Variable x(from_host(backend, {5, 13}, DType::f64, values));
  EXPECT_EQ(to_host(ReLU6().forward(x, {}).value()), to_host(relu6(x).value()));
  EXPECT_EQ(to_host(SiLU().forward(x, {}).value()), to_host(silu(x).value()));
  EXPECT_EQ(to_host(Sigmoid().forward(x, {}).value()), to_host(sigmoid(x).value()));
}

}  // namespace
}  // namespace graft::testing
