#include <fmt/core.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

struct ConvCase {
  std::string name;
  Shape x;
  Shape w;
  Conv2dOptions options{};
  bool bias = true;
};

Window2d window(Extent2d stride, Padding2d padding, Extent2d dilation = {1, 1}) {
  return {.stride = stride, .dilation = dilation, .padding = padding};
}

std::vector<ConvCase> conv_cases() {
  const Window2d same = window({1, 1}, Padding2d::same(1));
  return {
      {"one element", {1, 1, 1, 1}, {1, 1, 1, 1}, {}},
      {"1x1", {2, 5, 7, 3}, {5, 1, 1, 3}, {}},
      {"1x1 stride 2", {2, 7, 6, 16}, {24, 1, 1, 16}, {.window = window({2, 2}, {})}, false},
      {"3x3 unpadded", {1, 6, 5, 3}, {4, 3, 3, 3}, {}},
      {"3x3 same, one channel", {3, 9, 9, 1}, {16, 3, 3, 1}, {.window = same, .relu = true}},
      {"3x3 same, relu", {2, 8, 8, 16}, {16, 3, 3, 16}, {.window = same, .relu = true}},
      {"3x3 same, relu, no bias", {2, 7, 7, 16}, {32, 3, 3, 16}, {.window = same, .relu = true}, false},
      {"3x3 same, wide, odd image", {2, 13, 11, 32}, {48, 3, 3, 32}, {.window = same}},
      {"3x3 same, wide", {1, 28, 28, 64}, {64, 3, 3, 64}, {.window = same}},
      {"3x3 same, odd channels", {2, 9, 10, 35}, {33, 3, 3, 35}, {.window = same}, false},
      {"3x3 stride 2", {2, 15, 14, 16}, {32, 3, 3, 16}, {.window = window({2, 2}, Padding2d::same(1))}},
      {"7x7 stride 2, a stem", {1, 21, 23, 3}, {16, 7, 7, 3}, {.window = window({2, 2}, Padding2d::same(3))}, false},
      {"5x3 kernel, stride 1x2", {2, 8, 9, 6}, {7, 5, 3, 6}, {.window = window({1, 2}, {2, 1, 2, 1})}},
      {"asymmetric padding", {2, 6, 7, 5}, {6, 3, 3, 5}, {.window = window({1, 1}, {0, 1, 2, 0})}},
      {"asymmetric padding, stride 2", {2, 8, 8, 8}, {8, 3, 3, 8}, {.window = window({2, 2}, {0, 0, 1, 1})}, false},
      {"dilation 2", {1, 11, 10, 4}, {5, 3, 3, 4}, {.window = window({1, 1}, Padding2d::same(2), {2, 2})}},
      {"dilation 3x2, stride 2", {1, 13, 12, 3}, {4, 3, 2, 3}, {.window = window({2, 2}, {3, 1, 2, 2}, {3, 2})}},
      {"groups 2", {2, 6, 6, 8}, {12, 3, 3, 4}, {.window = same, .groups = 2, .relu = true}},
      {"groups 3, odd", {1, 5, 7, 9}, {6, 3, 3, 3}, {.window = same, .groups = 3}},
      {"depthwise", {2, 9, 8, 16}, {16, 3, 3, 1}, {.window = same, .groups = 16}},
      {"depthwise, odd, stride 2",
       {1, 9, 9, 13},
       {13, 5, 5, 1},
       {.window = window({2, 2}, Padding2d::same(2)), .groups = 13},
       false},
      {"depthwise, multiplier 2", {1, 7, 6, 6}, {12, 3, 3, 1}, {.window = same, .groups = 6}},
      {"depthwise, vectors", {2, 10, 9, 32}, {32, 3, 3, 1}, {.window = same, .groups = 32, .relu = true}},
      {"depthwise, 3x3 stride 2, TensorFlow's padding",
       {3, 12, 14, 44},
       {44, 3, 3, 1},
       {.window = window({2, 2}, {0, 0, 1, 1}), .groups = 44},
       false},
      {"depthwise, 5x5", {2, 14, 11, 40}, {40, 5, 5, 1}, {.window = window({1, 1}, Padding2d::same(2)), .groups = 40}},
      {"depthwise, 5x5, stride 2, odd channels",
       {2, 14, 13, 27},
       {27, 5, 5, 1},
       {.window = window({2, 2}, {1, 1, 2, 2}), .groups = 27}},
      {"depthwise, 7x7", {1, 9, 10, 16}, {16, 7, 7, 1}, {.window = window({1, 1}, Padding2d::same(3)), .groups = 16}},
      {"depthwise, image smaller than the kernel",
       {2, 2, 3, 16},
       {16, 5, 5, 1},
       {.window = window({1, 1}, Padding2d::same(2)), .groups = 16}},
      {"depthwise, dilation 3x2, stride 3x2",
       {1, 17, 14, 8},
       {8, 3, 2, 1},
       {.window = window({3, 2}, {3, 1, 2, 0}, {3, 2}), .groups = 8}},
      {"depthwise, dilation 2, stride 2, asymmetric",
       {2, 12, 13, 3},
       {6, 4, 3, 1},
       {.window = window({2, 2}, {0, 3, 1, 2}, {2, 1}), .groups = 3}},
      {"many outputs", {1, 32, 33, 8}, {130, 1, 1, 8}, {}},
      {"many inputs", {1, 32, 33, 132}, {8, 1, 1, 132}, {}},
      {"many of both", {2, 16, 16, 36}, {96, 3, 3, 36}, {.window = same}},
      {"stride leaves rows unread", {1, 8, 8, 4}, {4, 1, 1, 4}, {.window = window({3, 3}, {})}},
      {"padding larger than the image", {1, 2, 3, 4}, {5, 3, 3, 4}, {.window = window({1, 1}, Padding2d::same(3))}},
      {"no images", {0, 5, 5, 3}, {4, 3, 3, 3}, {.window = same}},
      {"window does not fit", {2, 2, 2, 3}, {4, 3, 3, 3}, {}},
      {"no input channels", {2, 4, 4, 0}, {3, 3, 3, 0}, {.window = same, .relu = true}},
      {"no output channels", {2, 4, 4, 3}, {0, 3, 3, 3}, {.window = same}},
  };
}

/// The distinct layers of ResNet-18 and ResNet-50 on images of 224 x 224: extents, kernels and strides as they are, one
/// image, and a sixteenth of the channels.
std::vector<ConvCase> resnet_layers() {
  std::vector<ConvCase> layers;
  const auto add = [&](std::int64_t size, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
    const std::string name =
        fmt::format("{0} x {0} of {1}, {2} x {2} to {3}, stride {4}", size, in, kernel, out, stride);
    for (const ConvCase& layer : layers) {
      if (layer.name == name) return;
    }
    const Window2d moved = window({stride, stride}, Padding2d::same(kernel / 2));
    layers.push_back({name, {1, size, size, in}, {out, kernel, kernel, in}, {.window = moved}, false});
  };
  add(224, 3, 4, 7, 2);
  for (int stage = 0; stage < 4; ++stage) {
    const std::int64_t width = std::int64_t{4} << stage;
    const std::int64_t stride = stage == 0 ? 1 : 2;
    const std::int64_t before = stage == 0 ? 56 : 112 >> stage;
    const std::int64_t after = 56 >> stage;
    const std::int64_t basic_in = stage == 0 ? width : width / 2;
    const std::int64_t bottleneck_in = stage == 0 ? width : width * 2;
    add(before, basic_in, width, 3, stride);
    if (stage > 0) add(before, basic_in, width, 1, stride);
    add(after, width, width, 3, 1);
    add(before, bottleneck_in, width, 1, 1);
    add(before, width, width, 3, stride);
    add(after, width, 4 * width, 1, 1);
    add(before, bottleneck_in, 4 * width, 1, stride);
    add(after, 4 * width, width, 1, 1);
  }
  return layers;
}

/// Every stride, kernel and kind of groups that the shipped networks combine.
std::vector<ConvCase> combinations() {
  constexpr std::int64_t kChannels = 8;
  std::vector<ConvCase> cases;
  for (const std::int64_t stride : {1, 2}) {
    for (const std::int64_t kernel : {1, 3, 5, 7}) {
      for (const std::int64_t groups : {std::int64_t{1}, std::int64_t{2}, kChannels}) {
        const Window2d moved = window({stride, stride}, Padding2d::same(kernel / 2));
        cases.push_back({fmt::format("stride {0}, kernel {1} x {1}, {2} groups", stride, kernel, groups),
                         {2, 9, 8, kChannels},
                         {kChannels, kernel, kernel, kChannels / groups},
                         {.window = moved, .groups = groups},
                         stride == 1});
      }
    }
  }
  return cases;
}

/// Of Higham's bound K eps |x| * |w| only the magnitude is taken as a norm over the whole result: Winograd's transforms
/// mix the outputs of a tile, so that a small one may carry the rounding of a large neighbour. The factor covers the
/// growth in the transforms of tiles of 4x4.
double bound(std::int64_t terms, const std::vector<double>& magnitudes) {
  constexpr double kTransformGrowth = 4.0;
  return kTransformGrowth * static_cast<double>(terms + 1) * kF32Roundoff * largest(magnitudes);
}

std::int64_t taps(const Shape& w) { return w[1] * w[2]; }

/// Where the residual of a forward convolution lies: nowhere, in a tensor of its own, or in y.
enum class Residual { none, apart, in_place };

class ConvTest : public KernelTest {
 protected:
  void expect_forward(const std::vector<ConvCase>& cases) {
    for (const ConvCase& c : cases) expect_forward(c, Residual::none);
  }

  void expect_forward(const ConvCase& c, Residual residual) {
    SCOPED_TRACE(c.name);
    const Shape shape = conv2d_output_shape(c.x, c.w, c.options);
    const Pair x = normal(c.x, dtype());
    const Pair w = normal(c.w, dtype());
    const Pair bias = c.bias ? normal({c.w[0]}, DType::f32) : Pair{};
    const Pair added = residual == Residual::none ? Pair{} : normal(shape, dtype());
    Pair y = output(shape, dtype());
    if (residual == Residual::in_place) y.tested = added.tested;
    const Tensor magnitude = like(y.exact);
    oracle().conv2d_forward(absolute(x.exact), absolute(w.exact), absolute(bias.exact), absolute(added.exact),
                            c.options, {}, magnitude);
    oracle().conv2d_forward(x.exact, w.exact, bias.exact, added.exact, c.options, {}, y.exact);
    backend().conv2d_forward(x.tested, w.tested, bias.tested, added.tested, c.options,
                             scratch(backend().conv2d_forward_scratch_bytes(c.x, c.w, dtype(), c.options)), y.tested);
    const std::int64_t terms = taps(c.w) * c.w[3] + (residual == Residual::none ? 0 : 1);
    expect_close("y", y, bound(terms, values_of(magnitude)));
  }

  /// Every case with a residual, with and without bias and ReLU; every other one in place.
  void expect_forward_with_residual(const std::vector<ConvCase>& cases) {
    int number = 0;
    for (ConvCase c : cases) {
      for (const bool bias : {false, true}) {
        for (const bool relu : {false, true}) {
          SCOPED_TRACE(fmt::format("bias {}, relu {}, case {}", bias, relu, number));
          c.bias = bias;
          c.options.relu = relu;
          expect_forward(c, number++ % 2 == 0 ? Residual::apart : Residual::in_place);
        }
      }
      ++number;
    }
  }

  void expect_backward_data(const std::vector<ConvCase>& cases) {
    for (const ConvCase& c : cases) {
      SCOPED_TRACE(c.name);
      const Pair dy = normal(conv2d_output_shape(c.x, c.w, c.options), dtype());
      const Pair w = normal(c.w, dtype());
      const Pair dx = output(c.x, dtype());
      backend().conv2d_backward_data(
          dy.tested, w.tested, c.options,
          scratch(backend().conv2d_backward_data_scratch_bytes(c.x, c.w, dtype(), c.options)), dx.tested);
      oracle().conv2d_backward_data(dy.exact, w.exact, c.options, {}, dx.exact);
      const Tensor magnitude = like(dx.exact);
      oracle().conv2d_backward_data(absolute(dy.exact), absolute(w.exact), c.options, {}, magnitude);
      expect_close("dx", dx, bound(taps(c.w) * c.w[0] / c.options.groups, values_of(magnitude)));
    }
  }

  void expect_backward_weights(const std::vector<ConvCase>& cases) {
    for (const ConvCase& c : cases) {
      SCOPED_TRACE(c.name);
      const Shape output_shape = conv2d_output_shape(c.x, c.w, c.options);
      const Pair x = normal(c.x, dtype());
      const Pair dy = normal(output_shape, dtype());
      const Pair dw = output(c.w, DType::f32);
      const Pair dbias = c.bias ? output({c.w[0]}, DType::f32) : Pair{};
      backend().conv2d_backward_weights(
          x.tested, dy.tested, c.options,
          scratch(backend().conv2d_backward_weights_scratch_bytes(c.x, c.w, dtype(), c.options)), dw.tested,
          dbias.tested);
      oracle().conv2d_backward_weights(x.exact, dy.exact, c.options, {}, dw.exact, dbias.exact);
      const Tensor magnitude = like(dw.exact);
      const Tensor bias_magnitude = like(dbias.exact);
      oracle().conv2d_backward_weights(absolute(x.exact), absolute(dy.exact), c.options, {}, magnitude, bias_magnitude);
      const std::int64_t terms = output_shape[0] * output_shape[1] * output_shape[2];
      expect_close("dw", dw, bound(terms, values_of(magnitude)));
      if (c.bias) expect_close("dbias", dbias, bound(terms, values_of(bias_magnitude)));
    }
  }
};

}  // namespace

TEST_P(ConvTest, Forward) { expect_forward(conv_cases()); }
TEST_P(ConvTest, ForwardWithResidual) { expect_forward_with_residual(conv_cases()); }
TEST_P(ConvTest, BackwardData) { expect_backward_data(conv_cases()); }
TEST_P(ConvTest, BackwardWeights) { expect_backward_weights(conv_cases()); }

TEST_P(ConvTest, StridesKernelsAndGroupsForward) { expect_forward(combinations()); }
TEST_P(ConvTest, StridesKernelsAndGroupsBackwardData) { expect_backward_data(combinations()); }
TEST_P(ConvTest, StridesKernelsAndGroupsBackwardWeights) { expect_backward_weights(combinations()); }

TEST_P(ConvTest, ResNetLayersForward) { expect_forward(resnet_layers()); }
TEST_P(ConvTest, ResNetLayersBackwardData) { expect_backward_data(resnet_layers()); }
TEST_P(ConvTest, ResNetLayersBackwardWeights) { expect_backward_weights(resnet_layers()); }

/// Slices start where an image ends, at any element: kernels that load vectors must notice.
TEST_P(ConvTest, TensorsThatAreNotAligned) {
  for (const std::int64_t groups : {1, 4}) {
    SCOPED_TRACE(groups);
    const ConvCase c{
        "", {1, 5, 5, 4}, {4, 3, 3, 4 / groups}, {.window = window({1, 1}, Padding2d::same(1)), .groups = groups}};
    const Shape line{1 + c.x.numel()};
    const auto shifted = [](const Pair& pair, const Shape& shape) {
      const auto part = [&](const Tensor& all) { return all.slice(1, 1 + shape.numel()).reshape(shape); };
      return Pair{part(pair.tested), part(pair.exact)};
    };
    const Pair x = shifted(normal(line, dtype()), c.x);
    const Pair dy = shifted(normal(line, dtype()), c.x);
    const Pair w = shifted(normal({1 + c.w.numel()}, dtype()), c.w);
    const Pair residual = shifted(normal(line, dtype()), c.x);
    const Pair y = shifted(output(line, dtype()), c.x);
    const Pair dx = shifted(output(line, dtype()), c.x);
    const Pair dw = shifted(output({1 + c.w.numel()}, DType::f32), c.w);
    backend().conv2d_forward(x.tested, w.tested, {}, residual.tested, c.options,
                             scratch(backend().conv2d_forward_scratch_bytes(c.x, c.w, dtype(), c.options)), y.tested);
    oracle().conv2d_forward(x.exact, w.exact, {}, residual.exact, c.options, {}, y.exact);
    backend().conv2d_backward_data(dy.tested, w.tested, c.options,
                                   scratch(backend().conv2d_backward_data_scratch_bytes(c.x, c.w, dtype(), c.options)),
                                   dx.tested);
    oracle().conv2d_backward_data(dy.exact, w.exact, c.options, {}, dx.exact);
    backend().conv2d_backward_weights(
        x.tested, dy.tested, c.options,
        scratch(backend().conv2d_backward_weights_scratch_bytes(c.x, c.w, dtype(), c.options)), dw.tested, {});
    oracle().conv2d_backward_weights(x.exact, dy.exact, c.options, {}, dw.exact, {});
    const Tensor magnitude = like(y.exact);
    oracle().conv2d_forward(absolute(x.exact), absolute(w.exact), {}, absolute(residual.exact), c.options, {},
                            magnitude);
    expect_close("y", y, bound(37, values_of(magnitude)));
    oracle().conv2d_backward_data(absolute(dy.exact), absolute(w.exact), c.options, {}, magnitude);
    expect_close("dx", dx, bound(36, values_of(magnitude)));
    const Tensor weights_magnitude = like(dw.exact);
    oracle().conv2d_backward_weights(absolute(x.exact), absolute(dy.exact), c.options, {}, weights_magnitude, {});
    expect_close("dw", dw, bound(25, values_of(weights_magnitude)));
  }
}

TEST_P(ConvTest, SameBitsEveryTime) {
  const Conv2dOptions options{.window = window({1, 1}, Padding2d::same(1))};
  const Pair x = normal({4, 14, 14, 64}, dtype());
  const Pair w = normal({64, 3, 3, 64}, dtype());
  const Pair y = output(x.tested.shape(), dtype());
  const Pair dw = output(w.tested.shape(), DType::f32);
  std::vector<std::vector<std::uint8_t>> results;
  for (int repetition = 0; repetition < 2; ++repetition) {
    backend().conv2d_forward(
        x.tested, w.tested, {}, {}, options,
        scratch(backend().conv2d_forward_scratch_bytes(x.tested.shape(), w.tested.shape(), dtype(), options)),
        y.tested);
    backend().conv2d_backward_weights(
        x.tested, y.tested, options,
        scratch(backend().conv2d_backward_weights_scratch_bytes(x.tested.shape(), w.tested.shape(), dtype(), options)),
        dw.tested, {});
    results.push_back(bytes_of(y.tested));
    results.push_back(bytes_of(dw.tested));
  }
  EXPECT_TRUE(results[0] == results[2]);
  EXPECT_TRUE(results[1] == results[3]);
}

INSTANTIATE_TEST_SUITE_P(Backends, ConvTest, ::testing::ValuesIn(product_params()), kernel_param_name);

}  // namespace graft::testing
