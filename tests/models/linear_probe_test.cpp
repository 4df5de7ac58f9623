#include "models/linear_probe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"

namespace graft::testing {
namespace {

std::vector<std::string> names_of(const std::vector<NamedVariable>& variables) {
  std::vector<std::string> names;
  for (const auto& named : variables) names.push_back(named.name);
  return names;
}

std::vector<float> host(const Tensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
  tensor.backend().copy_to_host(tensor, values.data());
  return values;
}

std::shared_ptr<Backbone> lite0(Backend& backend, CutPlaces cuts = CutPlaces::stages) {
  BackboneOptions options{.classes = 3, .height = 32, .width = 32};
  options.cuts = cuts;
  return make_backbone("tf_efficientnet_lite0", backend, options);
}

LinearProbeOptions probe_at(int cut, const Shape& image = {32, 32, 3}) {
  return {.cut = cut, .image = image, .classes = 5};
}

TEST(LinearProbe, KeepsTheStagesNamesAndAddsAHead) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto backbone = lite0(*backend);
  const auto probe = make_linear_probe(*backbone, *backend, probe_at(3));
  ASSERT_EQ(probe->stage_count(), 4);
  EXPECT_EQ(probe->stages()[2].name, "blocks.1");
  EXPECT_EQ(probe->stages()[3].name, "pool");
  auto expected = names_of(backbone->stage_parameters(0, 3));
  EXPECT_EQ(names_of(probe->stage_parameters(0, 4)), expected);
  expected.insert(expected.end(), {"probe.weight", "probe.bias"});
  EXPECT_EQ(names_of(probe->parameters()), expected);
  EXPECT_EQ(probe->parameters().end()[-2].variable.shape(), (Shape{5, 24}));
}

TEST(LinearProbe, StandsBehindBlocksToo) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto backbone = lite0(*backend, CutPlaces::blocks);
  const auto probe = make_linear_probe(*backbone, *backend, probe_at(4));
  EXPECT_EQ(probe->stages()[3].name, "blocks.1.1");
  EXPECT_EQ(names_of(probe->stage_parameters(0, 5)), names_of(backbone->stage_parameters(0, 4)));
}

/// Logits are what plain loops make of the stage's output: the mean over pixels in f64, times the head.
TEST(LinearProbe, PoolsAndClassifiesWhatTheStageGives) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto backbone = lite0(*backend);
  const auto probe = make_linear_probe(*backbone, *backend, probe_at(3));
  initialize(state_of(*probe), 1, "test");
  const Shape shape{2, 32, 32, 3};
  std::vector<float> pixels(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i));
  const Tensor x = backend->empty(shape, DType::f32);
  backend->copy_from_host(pixels.data(), x);
  const NoGradScope no_grad;
  const Tensor y = backbone->forward_stages(Variable(x), 0, 3, {}).value();
  const auto features = host(y);
  const auto weights = host(probe->parameters().end()[-2].variable.value());
  const auto logits = host(probe->forward(Variable(x), {}).value());
  const auto channels = static_cast<std::size_t>(y.dim(3));
  const auto area = static_cast<std::size_t>(y.dim(1) * y.dim(2));
  for (std::size_t image = 0; image < 2; ++image) {
    for (std::size_t label = 0; label < 5; ++label) {
      double sum = 0.0;
      for (std::size_t pixel = 0; pixel < area; ++pixel) {
        for (std::size_t c = 0; c < channels; ++c) {
          sum += double{features[(image * area + pixel) * channels + c]} * double{weights[label * channels + c]};
        }
      }
      EXPECT_NEAR(logits[image * 5 + label], sum / static_cast<double>(area), 1e-4);
    }
  }
}

TEST(LinearProbe, TakesAVectorAsItIs) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto backbone = make_backbone("convnet6", *backend, find_backbone("convnet6").defaults);
  const auto probe = make_linear_probe(*backbone, *backend, probe_at(6, {28, 28, 1}));
  EXPECT_EQ(probe->parameters().end()[-2].variable.shape(), (Shape{5, 128}));
}

TEST(LinearProbe, WantsAStageToStandBehind) {
  const auto backend = make_cpu_backend({.threads = 1});
  const auto backbone = lite0(*backend);
  EXPECT_THROW(make_linear_probe(*backbone, *backend, probe_at(0)), Error);
  EXPECT_THROW(make_linear_probe(*backbone, *backend, probe_at(10)), Error);
}

}  // namespace
}  // namespace graft::testing
