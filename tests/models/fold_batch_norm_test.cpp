#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/nn/conv_batch_norm.h"
#include "engine/reference/reference_backend.h"
#include "models/backbone.h"
#include "tests/models/expectations.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

constexpr BackboneOptions kSmall{.classes = 10, .in_channels = 3, .height = 32, .width = 32};

std::vector<double> logits_of(Backbone& network, Backend& backend, DType dtype) {
  const NoGradScope no_grad;
  return to_host(network.forward(Variable(formula_images(backend, {2, 3, 32, 32}, dtype)), {}).value());
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

int batch_norms(Module& network) {
  int count = 0;
  network.for_each_module([&](const std::string&, Module& module) {
    if (dynamic_cast<BatchNorm2d*>(&module) != nullptr) ++count;
  });
  return count;
}

class FoldedBackbone : public ::testing::TestWithParam<std::string> {};

/// In f64 folding moves each layer by at most (K + 4) u of its sums (tests/nn/conv_batch_norm_test.cpp), K at most 9 x
/// 512, and no network here has more than 54 layers. In f32 the folded network may be three times as far from the f64
/// one as the unfolded network is, which rounds after every layer twice as often.
TEST_P(FoldedBackbone, AgreesWithTheUnfoldedOne) {
  const auto reference = make_reference_backend({});
  const auto exact = make_backbone(GetParam(), *reference, kSmall);
  fill_by_formula(*exact);
  exact->convert(DType::f64);
  const std::vector<double> expected = logits_of(*exact, *reference, DType::f64);
  const double norm = distance(expected, std::vector<double>(expected.size()));
  ASSERT_GT(norm, 0.0);
  EXPECT_EQ(fold_batch_norm(*exact), batch_norms(*exact)) << "every batch norm of a ResNet follows a convolution";
  constexpr double kLayers = 54.0;
  constexpr double kTerms = 9.0 * 512.0 + 4.0;
  EXPECT_LE(distance(logits_of(*exact, *reference, DType::f64), expected), kLayers * kTerms * 0x1p-53 * norm);

  CpuBackend cpu{BackendOptions{.threads = 2}};
  const auto network = make_backbone(GetParam(), cpu, kSmall);
  fill_by_formula(*network);
  const double unfolded = distance(logits_of(*network, cpu, DType::f32), expected);
  fold_batch_norm(*network);
  const double folded = distance(logits_of(*network, cpu, DType::f32), expected);
  EXPECT_LE(folded, 3.0 * unfolded + 1e-6 * norm) << "unfolded: " << unfolded << ", norm " << norm;
}

INSTANTIATE_TEST_SUITE_P(Names, FoldedBackbone,
                         ::testing::Values("cifar_resnet20", "cifar_resnet20_b", "resnet18", "resnet50"),
                         [](const auto& name) { return name.param; });

}  // namespace
}  // namespace graft::testing
