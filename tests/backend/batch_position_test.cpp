#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "engine/cpu/cpu_backend.h"

// The feature cache runs a frozen prefix in batches of one fixed size, with images in another order than an epoch's.
// That gives the same bits only if what an image comes to does not depend on where in the batch it lies, nor on what
// lies beside it.

namespace graft {
namespace {

struct Case {
  std::string name;
  Shape x, w;
  std::int64_t stride, padding;
};

std::vector<Case> conv_cases() {
  return {{"resnet_stem", {6, 64, 64, 3}, {64, 7, 7, 3}, 2, 3},
          {"resnet_layer1", {6, 28, 28, 64}, {64, 3, 3, 64}, 1, 1},
          {"resnet_layer2_0", {6, 28, 28, 64}, {128, 3, 3, 64}, 2, 1},
          {"resnet_layer2_shortcut", {6, 28, 28, 64}, {128, 1, 1, 64}, 2, 0},
          {"resnet_layer2", {6, 14, 14, 128}, {128, 3, 3, 128}, 1, 1},
          {"resnet_layer3", {6, 14, 14, 256}, {256, 3, 3, 256}, 1, 1},
          {"resnet_layer4", {6, 7, 7, 512}, {512, 3, 3, 512}, 1, 1},
          {"resnet50_conv1", {6, 14, 14, 256}, {64, 1, 1, 256}, 1, 0},
          {"resnet50_conv3", {6, 14, 14, 64}, {256, 1, 1, 64}, 1, 0},
          {"convnet6_conv1", {64, 28, 28, 1}, {16, 3, 3, 1}, 1, 1},
          {"convnet6_conv2", {64, 14, 14, 16}, {32, 3, 3, 16}, 1, 1},
          {"convnet6_conv3", {64, 14, 14, 32}, {32, 3, 3, 32}, 1, 1},
          {"convnet6_conv4", {64, 7, 7, 32}, {64, 3, 3, 32}, 1, 1},
          {"convnet6_conv5", {64, 7, 7, 64}, {64, 3, 3, 64}, 1, 1}};
}

/// Rows of a product are its images: x [N, K] with weights [O, K].
std::vector<Case> linear_cases() {
  return {{"convnet6_linear", {64, 3136}, {128, 3136}, 1, 0},
          {"convnet6_head", {64, 128}, {5, 128}, 1, 0},
          {"resnet18_head", {16, 512}, {1000, 512}, 1, 0},
          {"resnet50_head", {16, 2048}, {10, 2048}, 1, 0}};
}

class BatchPosition : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (!CpuBackend(BackendOptions{.threads = 1}).supports(GetParam())) GTEST_SKIP() << "no such dtype here";
  }

  static Tensor normal(Backend& backend, const Shape& shape, DType dtype, std::uint64_t stream) {
    std::vector<float> values(static_cast<std::size_t>(shape.numel()));
    const RandomStream random{.seed = 7, .stream = stream};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto words = random.words(0, i);
      values[i] = static_cast<float>(normal_pair(words[0], words[1])[0]);
    }
    const Tensor exact = backend.empty(shape, DType::f32);
    backend.copy_from_host(values.data(), exact);
    if (dtype == DType::f32) return exact;
    const Tensor rounded = backend.empty(shape, dtype);
    backend.cast(exact, rounded);
    return rounded;
  }

  /// Image i of the result is image order[i] of x.
  static Tensor permuted(Backend& backend, const Tensor& x, const std::vector<std::int64_t>& order) {
    const Tensor y = backend.empty(x.shape(), x.dtype());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      backend.copy(x.slice(order[i], order[i] + 1), y.slice(at, at + 1));
    }
    return y;
  }

  static Tensor output_of(Backend& backend, const Case& layer, const Tensor& x, const Tensor& w, const Tensor& bias) {
    if (x.rank() == 2) {
      const GemmOptions options{.transpose_b = true, .relu = true};
      const Tensor y = backend.empty({x.dim(0), w.dim(0)}, x.dtype());
      backend.gemm(x, w, bias, options,
                   backend.scratch(backend.gemm_scratch_bytes(x.shape(), w.shape(), x.dtype(), y.dtype(), options)), y);
      return y;
    }
    Conv2dOptions options{.relu = true};
    options.window = {.stride = {layer.stride, layer.stride}, .padding = Padding2d::same(layer.padding)};
    const Tensor y = backend.empty(conv2d_output_shape(x.shape(), w.shape(), options), x.dtype());
    backend.conv2d_forward(
        x, w, bias, {}, options,
        backend.scratch(backend.conv2d_forward_scratch_bytes(x.shape(), w.shape(), x.dtype(), options)), y);
    return y;
  }

  /// The images in their order, and in three others that move each one to another place and other neighbours.
  static void expect_same_bits(const Case& layer, int threads) {
    CpuBackend backend{BackendOptions{.threads = threads}};
    const Tensor x = normal(backend, layer.x, GetParam(), 1);
    const Tensor w = normal(backend, layer.w, GetParam(), 2);
    const Tensor bias = normal(backend, {layer.w[0]}, DType::f32, 3);
    const Tensor expected = output_of(backend, layer, x, w, bias);
    const std::int64_t images = layer.x[0];
    for (const std::int64_t shift : {std::int64_t{1}, images / 2 + 1, images - 1}) {
      std::vector<std::int64_t> order;
      for (std::int64_t i = 0; i < images; ++i) order.push_back((images - i + shift) % images);
      const Tensor got = output_of(backend, layer, permuted(backend, x, order), w, bias);
      for (std::int64_t i = 0; i < images; ++i) {
        const std::int64_t from = order[static_cast<std::size_t>(i)];
        EXPECT_EQ(
            std::memcmp(got.slice(i, i + 1).raw(), expected.slice(from, from + 1).raw(), got.slice(i, i + 1).nbytes()),
            0)
            << layer.name << ", " << threads << " threads: image " << from << " differs at position " << i;
      }
    }
  }
};

TEST_P(BatchPosition, ConvolutionOneThread) {
  for (const Case& layer : conv_cases()) expect_same_bits(layer, 1);
}
TEST_P(BatchPosition, ConvolutionTwoThreads) {
  for (const Case& layer : conv_cases()) expect_same_bits(layer, 2);
}
TEST_P(BatchPosition, Linear) {
  for (const Case& layer : linear_cases()) {
    for (const int threads : {1, 2}) expect_same_bits(layer, threads);
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, BatchPosition, ::testing::Values(DType::f32, DType::bf16),
                         [](const auto& param) { return std::string(name_of(param.param)); });

}  // namespace
}  // namespace graft
