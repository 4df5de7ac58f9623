#include "engine/nn/drop_path.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

TEST(DropPathLayer, DropsInTrainingOnly) {
  ReferenceBackend backend;
  const Tensor step = from_host(backend, {1}, DType::i64, {5});
  const Variable x = random_leaf(backend, {64, 3}, 1);
  DropPath layer(0.5, "blocks.0");
  DropPath other(0.5, "blocks.1");
  const ForwardContext training{.training = true, .step = step, .seed = 1};
  EXPECT_TRUE(layer.forward(x, {}).same_as(x));
  const std::vector<double> y = to_host(layer.forward(x, training).value());
  EXPECT_EQ(y, to_host(layer.forward(x, training).value()));
  EXPECT_NE(y, to_host(other.forward(x, training).value()));
  EXPECT_THROW(DropPath(1.0, "blocks.0"), Error);
}

}  // namespace
}  // namespace graft::testing
