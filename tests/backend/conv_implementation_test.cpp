#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/conv_plan.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/gemm_plan.h"
#include "engine/cpu/onednn_context.h"

// oneDNN answers every request, if need be with a reference loop a hundred times slower than its kernels. Here every
// layer shape of the shipped networks, and shapes that nobody ships, must get an implementation that deserves the name.

namespace graft {
namespace {

constexpr ConvKind kKinds[] = {ConvKind::forward, ConvKind::backward_data, ConvKind::backward_weights};

struct Layer {
  std::int64_t batch, height, width, in_channels, out_channels;
  Extent2d kernel{3, 3};
  Window2d window{};
  std::int64_t groups = 1;
};

Layer square(std::int64_t batch, std::int64_t size, std::int64_t in, std::int64_t out, std::int64_t kernel,
             std::int64_t stride) {
  Window2d window{.stride = {stride, stride}, .padding = Padding2d::same(kernel / 2)};
  return {batch, size, size, in, out, {kernel, kernel}, window};
}

ConvProblem problem_of(const Layer& layer, ConvKind kind, DType dtype, bool bias) {
  ConvProblem problem;
  problem.kind = kind;
  problem.dtype = dtype;
  problem.x = {layer.batch, layer.height, layer.width, layer.in_channels};
  problem.w = {layer.out_channels, layer.kernel.height, layer.kernel.width, layer.in_channels / layer.groups};
  problem.options = {.window = layer.window, .groups = layer.groups};
  problem.y = conv2d_output_shape(problem.x, problem.w, problem.options);
  problem.options.relu = bias && kind == ConvKind::forward;
  problem.bias = bias && kind != ConvKind::backward_data;
  return problem;
}

std::vector<Layer> resnet_layers(std::int64_t batch, std::int64_t size) {
  std::vector<Layer> layers{square(batch, 4 * size, 3, 64, 7, 2), square(batch, size, 3, 64, 3, 1)};
  std::int64_t channels = 64;
  for (int stage = 1; stage <= 4; ++stage, channels *= 2) {
    const std::int64_t stride = stage == 1 ? 1 : 2;
    const std::int64_t before = stage == 1 ? 64 : channels / 2;
    const std::int64_t wide = stage == 1 ? 64 : 2 * channels;
    // Basic blocks, then bottlenecks, then the shortcuts of both.
    layers.push_back(square(batch, size, before, channels, 3, stride));
    layers.push_back(square(batch, size, wide, channels, 1, 1));
    layers.push_back(square(batch, size, channels, channels, 3, stride));
    layers.push_back(square(batch, size, before, channels, 1, stride));
    layers.push_back(square(batch, size, wide, 4 * channels, 1, stride));
    size /= stride;
    layers.push_back(square(batch, size, channels, channels, 3, 1));
    layers.push_back(square(batch, size, channels, 4 * channels, 1, 1));
    layers.push_back(square(batch, size, 4 * channels, channels, 1, 1));
  }
  return layers;
}

std::vector<Layer> small_network_layers() {
  return {square(128, 32, 3, 16, 3, 1),  square(128, 32, 16, 16, 3, 1), square(128, 32, 16, 32, 3, 2),
          square(128, 16, 32, 32, 3, 1), square(128, 16, 32, 64, 3, 2), square(128, 8, 64, 64, 3, 1),
          square(128, 32, 16, 32, 1, 2), square(64, 28, 1, 16, 3, 1),   square(64, 14, 16, 32, 3, 1),
          square(64, 14, 32, 32, 3, 1),  square(64, 7, 32, 64, 3, 1),   square(64, 7, 64, 64, 3, 1)};
}

std::vector<Layer> odd_layers() {
  return {
      {1, 1, 1, 1, 1, {1, 1}},
      {3, 5, 7, 1, 1, {3, 3}, {.padding = Padding2d::same(1)}},
      {2, 9, 11, 3, 5, {2, 4}, {.stride = {1, 3}, .padding = {0, 1, 1, 2}}},
      {2, 9, 9, 17, 19, {3, 3}, {.dilation = {2, 2}, .padding = Padding2d::same(2)}},
      {2, 12, 10, 12, 6, {3, 3}, {.stride = {2, 1}, .dilation = {1, 2}, .padding = {1, 0, 2, 1}}, 3},
      {2, 9, 9, 8, 8, {3, 3}, {.padding = Padding2d::same(1)}, 8},
      {2, 9, 9, 8, 16, {5, 5}, {.stride = {2, 2}, .padding = Padding2d::same(2)}, 8},
      {2, 8, 8, 32, 32, {3, 3}, {.padding = Padding2d::same(1)}, 2},
      {2, 10, 10, 64, 64, {1, 1}, {.stride = {3, 3}}},
      {2, 10, 10, 64, 64, {1, 1}, {.stride = {2, 2}}, 4},
      {2, 6, 6, 16, 16, {3, 3}, {.padding = Padding2d::same(5)}},
      {1, 3, 40, 4, 7, {1, 9}, {.padding = {0, 4, 0, 4}}},
      {2, 30, 30, 33, 65, {11, 11}, {.stride = {4, 4}, .padding = Padding2d::same(2)}},
  };
}

class ConvImplementation : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (!backend_.supports(GetParam())) GTEST_SKIP() << "this processor has no " << name_of(GetParam());
  }
  void expect_no_reference(const std::vector<Layer>& layers) {
    backend_.enter();
    for (const Layer& layer : layers) {
      for (const ConvKind kind : kKinds) {
        for (const bool bias : {false, true}) {
          const ConvProblem problem = problem_of(layer, kind, GetParam(), bias);
          const std::string name = conv_plan(backend_.onednn(), problem).implementation();
          EXPECT_EQ(name.find("ref"), std::string::npos) << problem.str() << ": " << name;
        }
      }
    }
  }
  CpuBackend backend_{BackendOptions{.threads = 2}};
};

TEST_P(ConvImplementation, ResNetsAtImageNetSize) { expect_no_reference(resnet_layers(16, 56)); }
TEST_P(ConvImplementation, ResNetsAtCifarSize) { expect_no_reference(resnet_layers(64, 32)); }
TEST_P(ConvImplementation, Resnet20AndConvnet6) { expect_no_reference(small_network_layers()); }
TEST_P(ConvImplementation, OddShapes) { expect_no_reference(odd_layers()); }

TEST_P(ConvImplementation, MatrixProducts) {
  backend_.enter();
  struct Extents {
    std::int64_t batch, m, n, k;
  };
  for (const Extents& e : std::vector<Extents>{{1, 64, 128, 3136},
                                               {1, 128, 3136, 64},
                                               {1, 64, 5, 128},
                                               {1, 5, 128, 64},
                                               {1, 16, 1000, 512},
                                               {1, 1000, 2048, 16},
                                               {1, 1, 1, 1},
                                               {3, 7, 5, 9},
                                               {12, 50, 50, 64}}) {
    for (int options = 0; options < 16; ++options) {
      const bool f32_output = (options & 8) != 0;
      GemmProblem problem{GetParam(), f32_output ? DType::f32 : GetParam(), e.batch, e.m, e.n, e.k, {}, false};
      problem.options.transpose_a = (options & 1) != 0;
      problem.options.transpose_b = (options & 2) != 0;
      problem.bias = problem.options.relu = (options & 4) != 0;
      const std::string name = gemm_plan(backend_.onednn(), problem).implementation();
      EXPECT_EQ(name.find("ref"), std::string::npos) << problem.str() << ": " << name;
    }
  }
}

/// The rule, where a mistake in it would only cost time: hot layers go where the measurements say.
TEST_P(ConvImplementation, HotLayersUseWinogradWhereThereIsAvx512) {
  backend_.enter();
  if (backend_.device_kind().find("avx512") == std::string::npos) GTEST_SKIP() << "Winograd needs AVX-512";
  for (const Layer& layer :
       {square(64, 32, 64, 64, 3, 1), square(16, 28, 128, 128, 3, 1), square(16, 14, 256, 256, 3, 1)}) {
    for (const ConvKind kind : kKinds) {
      const ConvProblem problem = problem_of(layer, kind, GetParam(), false);
      EXPECT_EQ(conv_plan(backend_.onednn(), problem).implementation().find("winograd_4x3"), 0u) << problem.str();
    }
  }
}

/// With AVX2, and with AVX-512 for kernels of five, oneDNN has only its general kernels for this gradient.
TEST(ConvImplementationDepthwise, TheGradientOfWeightsIsGraftsOwn) {
  CpuBackend backend{BackendOptions{.threads = 2}};
  backend.enter();
  for (const std::int64_t kernel : {3, 5}) {
    for (const std::int64_t stride : {1, 2}) {
      Layer layer = square(4, 28, 240, 240, kernel, stride);
      layer.groups = 240;
      const ConvProblem problem = problem_of(layer, ConvKind::backward_weights, DType::f32, false);
      EXPECT_EQ(conv_plan(backend.onednn(), problem).implementation(), "depthwise:avx2") << problem.str();
    }
  }
}

TEST(ConvImplementationBf16, IsRefusedInOneLineWithoutAvx512) {
  CpuBackend backend{BackendOptions{.threads = 1}};
  if (backend.supports(DType::bf16)) GTEST_SKIP() << "this processor has bf16";
  backend.enter();
  try {
    conv_plan(backend.onednn(), problem_of(square(2, 8, 16, 16, 3, 1), ConvKind::forward, DType::bf16, false));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("[conv2d]"), 0u) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ConvImplementation, ::testing::Values(DType::f32, DType::bf16),
                         [](const auto& param) { return std::string(name_of(param.param)); });

}  // namespace
}  // namespace graft
