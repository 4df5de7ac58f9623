#include "cuda/kernels/conv_mma.h"

#include <algorithm>
#include <array>

#include "tests/cuda/kernels/exact_values.h"
#include "tests/cuda/streams.h"

namespace graft::cuda::testing {

namespace {

struct Case {
  std::string name;
  ConvProblem problem;
};

std::int64_t out_extent(std::int64_t image, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                        std::int64_t before, std::int64_t after) {
  return window_output(image, kernel, stride, dilation, before, after);
}

Case conv_case(std::string name, std::array<std::int64_t, 4> x, std::array<std::int64_t, 3> outputs_and_kernel,
               Window2d window, std::int64_t groups = 1) {
  const auto [outputs, kernel_h, kernel_w] = outputs_and_kernel;
  const auto& [stride, dilation, padding] = window;
  return {std::move(name),
          {.batch = x[0],
           .height = x[1],
           .width = x[2],
           .channels = x[3],
           .out_height = out_extent(x[1], kernel_h, stride.height, dilation.height, padding.top, padding.bottom),
           .out_width = out_extent(x[2], kernel_w, stride.width, dilation.width, padding.left, padding.right),
           .out_channels = outputs,
           .kernel_height = kernel_h,
           .kernel_width = kernel_w,
           .groups = groups,
           .stride = stride,
           .dilation = dilation,
           .padding = padding}};
}

std::vector<Case> cases() {
  const Padding2d same = Padding2d::same(1);
  return {
      conv_case("1x1", {1, 3, 5, 8}, {8, 1, 1}, {}),
      conv_case("1x1, many depths", {1, 9, 8, 328}, {72, 1, 1}, {}),
      conv_case("3x3", {2, 6, 7, 16}, {24, 3, 3}, {.padding = same}),
      conv_case("3x3, more than a tile", {3, 9, 8, 24}, {136, 3, 3}, {.padding = same}),
      conv_case("3x3, stride 2", {2, 9, 8, 8}, {16, 3, 3}, {.stride = {2, 2}, .padding = same}),
      conv_case("1x1, stride 2", {2, 7, 8, 16}, {8, 1, 1}, {.stride = {2, 2}}),
      conv_case("1x1, stride 3x4", {1, 7, 9, 8}, {8, 1, 1}, {.stride = {3, 4}}),
      conv_case("7x7, stride 2", {1, 11, 13, 8}, {8, 7, 7}, {.stride = {2, 2}, .padding = Padding2d::same(3)}),
      conv_case("dilated, stride 2", {1, 13, 12, 8}, {16, 3, 2},
                {.stride = {2, 2}, .dilation = {3, 2}, .padding = {3, 1, 2, 2}}),
      conv_case("dilated by the stride", {1, 9, 9, 8}, {8, 3, 3},
                {.stride = {2, 2}, .dilation = {2, 2}, .padding = Padding2d::same(2)}),
      conv_case("asymmetric padding", {2, 5, 6, 8}, {8, 3, 3}, {.padding = {0, 1, 2, 0}}),
      conv_case("padding larger than the image", {1, 2, 3, 8}, {8, 3, 3}, {.padding = Padding2d::same(3)}),
      conv_case("groups", {2, 5, 4, 24}, {48, 3, 3}, {.padding = same}, 3),
      conv_case("one pixel", {1, 1, 1, 64}, {64, 1, 1}, {}),
  };
}

/// body(index of y, index of x, index of w) for every product of the convolution.
template <class Body>
void for_each_product(const ConvProblem& p, const Body& body) {
  const auto at = [](auto... index) { return std::array{static_cast<std::int64_t>(index)...}; };
  for (std::int64_t n = 0; n < p.batch; ++n) {
    for (std::int64_t oh = 0; oh < p.out_height; ++oh) {
      for (std::int64_t ow = 0; ow < p.out_width; ++ow) {
        for (std::int64_t kh = 0; kh < p.kernel_height; ++kh) {
          for (std::int64_t kw = 0; kw < p.kernel_width; ++kw) {
            const auto [h, w] = at(oh * p.stride.height + kh * p.dilation.height - p.padding.top,
                                   ow * p.stride.width + kw * p.dilation.width - p.padding.left);
            if (h < 0 || h >= p.height || w < 0 || w >= p.width) continue;
            const std::int64_t y = ((n * p.out_height + oh) * p.out_width + ow) * p.out_channels;
            const std::int64_t x = ((n * p.height + h) * p.width + w) * p.channels;
            for (std::int64_t o = 0; o < p.out_channels; ++o) {
              const std::int64_t group = o / p.group_outputs();
              for (std::int64_t c = 0; c < p.group_channels(); ++c)
                body(static_cast<std::size_t>(y + o), static_cast<std::size_t>(x + group * p.group_channels() + c),
                     static_cast<std::size_t>(((o * p.kernel_height + kh) * p.kernel_width + kw) * p.group_channels() +
                                              c));
            }
          }
        }
      }
    }
  }
}

std::vector<double> zeros(std::int64_t count) { return std::vector<double>(static_cast<std::size_t>(count)); }

template <class T>
void check_forward(const Case& c, const Stream& stream, DType dtype, std::size_t skip_y) {
  const ConvProblem& p = c.problem;
  const std::vector<double> x = exact_values(p.x_count(), 1);
  const std::vector<double> w = exact_values(p.w_count(), 2);
  const std::vector<double> bias = exact_values(p.out_channels, 3);
  std::vector<double> expected = zeros(p.y_count());
  for_each_product(p, [&](std::size_t yi, std::size_t xi, std::size_t wi) { expected[yi] += x[xi] * w[wi]; });
  ExactArray<T> device_x(stream, x);
  ExactArray<T> device_w(stream, w);
  ExactArray<float> device_bias(stream, bias);
  ExactArray<T> y(stream, p.y_count(), skip_y);
  conv_mma_forward(stream, dtype, p, device_x.data(), device_w.data(), {}, y.data());
  expect_exact<T>("y", y.values(stream), expected);
  const std::vector<double> sums = expected;
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = std::max(0.0, expected[i] + bias[i % bias.size()]);
  conv_mma_forward(stream, dtype, p, device_x.data(), device_w.data(), {.bias = device_bias.data(), .relu = true},
                   y.data());
  expect_exact<T>("y with bias and ReLU", y.values(stream), expected);
  const std::vector<double> residual = exact_values(p.y_count(), 7);
  for (std::size_t i = 0; i < sums.size(); ++i)
    expected[i] = std::max(0.0, sums[i] + bias[i % bias.size()] + residual[i]);
  ExactArray<T> device_residual(stream, residual, skip_y);
  ConvEpilogue epilogue{.bias = device_bias.data(), .residual = device_residual.data(), .relu = true};
  conv_mma_forward(stream, dtype, p, device_x.data(), device_w.data(), epilogue, y.data());
  expect_exact<T>("y with bias, residual and ReLU", y.values(stream), expected);
  for (std::size_t i = 0; i < sums.size(); ++i) expected[i] = sums[i] + residual[i];
  epilogue = {.residual = device_residual.data()};
  conv_mma_forward(stream, dtype, p, device_x.data(), device_w.data(), epilogue, device_residual.data());
  expect_exact<T>("y in the residual's place", device_residual.values(stream), expected);
}

template <class T>
void check_backward(const Case& c, const Stream& stream, DType dtype) {
  const ConvProblem& p = c.problem;
  const std::vector<double> x = exact_values(p.x_count(), 4);
  const std::vector<double> w = exact_values(p.w_count(), 5);
  const std::vector<double> dy = exact_values(p.y_count(), 6);
  std::vector<double> expected_dx = zeros(p.x_count());
  std::vector<double> expected_dw = zeros(p.w_count());
  for_each_product(p, [&](std::size_t yi, std::size_t xi, std::size_t wi) {
    expected_dx[xi] += dy[yi] * w[wi];
    expected_dw[wi] += dy[yi] * x[xi];
  });
  ExactArray<T> device_x(stream, x);
  ExactArray<T> device_w(stream, w);
  ExactArray<T> device_dy(stream, dy);
  ExactArray<T> dx(stream, p.x_count());
  ExactArray<float> dw(stream, p.w_count());
  conv_mma_backward_data(stream, dtype, p, device_dy.data(), device_w.data(), dx.data());
  expect_exact<T>("dx", dx.values(stream), expected_dx);
  const std::size_t scratch_bytes = conv_mma_backward_weights_scratch_bytes(stream.device(), dtype, p);
  ExactArray<float> scratch(stream, static_cast<std::int64_t>(scratch_bytes / sizeof(float)));
  conv_mma_backward_weights(stream, dtype, p, device_x.data(), device_dy.data(), scratch.data(), dw.data());
  expect_exact<float>("dw", dw.values(stream), expected_dw);
}

template <class T>
void check_all(DType dtype) {
  for_each_stream([&](const Stream& stream) {
    for (const Case& c : cases()) {
      SCOPED_TRACE(c.name);
      ASSERT_TRUE(conv_mma_forward_supports(c.problem, dtype));
      ASSERT_TRUE(conv_mma_backward_data_supports(c.problem, dtype));
      ASSERT_TRUE(conv_mma_backward_weights_supports(c.problem, dtype));
      check_forward<T>(c, stream, dtype, 0);
      check_backward<T>(c, stream, dtype);
      if (::testing::Test::HasFatalFailure()) return;
    }
  });
}

TEST(ConvMma, Bf16IsExactWhereSumsAre) { check_all<bfloat16>(DType::bf16); }
TEST(ConvMma, Tf32IsExactWhereSumsAre) { check_all<float>(DType::f32); }

#ifndef GRAFT_CUDA_EMULATED
/// So many pixels that a GPU with a hundred multiprocessors works in the largest tiles, and of two widths.
TEST(ConvMma, TilesOfALargeDevice) {
  for_each_stream([&](const Stream& stream) {
    const Case large = conv_case("large", {4, 64, 64, 136}, {256, 1, 1}, {});
    check_forward<bfloat16>(large, stream, DType::bf16, 0);
    check_backward<bfloat16>(large, stream, DType::bf16);
    check_forward<float>(large, stream, DType::f32, 0);
    check_backward<float>(large, stream, DType::f32);
  });
}
#endif

TEST(ConvMma, ForwardTakesAnyNumberOfOutputsAndAnyPlaceForY) {
  const Window2d same{.padding = Padding2d::same(1)};
  for_each_stream([&](const Stream& stream) {
    check_forward<bfloat16>(conv_case("13 outputs", {1, 5, 6, 8}, {13, 3, 3}, same), stream, DType::bf16, 0);
    check_forward<bfloat16>(conv_case("y in between", {1, 5, 6, 8}, {16, 3, 3}, {}), stream, DType::bf16, 3);
  });
}

TEST(ConvMma, ForwardTakesAnyNumberOfChannels) {
  const Window2d stem{.stride = {2, 2}, .padding = Padding2d::same(3)};
  const Window2d same{.padding = Padding2d::same(1)};
  for_each_stream([&](const Stream& stream) {
    for (const Case& c : {conv_case("a stem", {2, 13, 14, 3}, {64, 7, 7}, stem),
                          conv_case("13 channels", {1, 6, 5, 13}, {70, 3, 3}, same),
                          conv_case("groups of 5", {1, 4, 7, 15}, {9, 3, 3}, same, 3)}) {
      SCOPED_TRACE(c.name);
      ASSERT_TRUE(conv_mma_forward_supports(c.problem, DType::bf16));
      check_forward<bfloat16>(c, stream, DType::bf16, 0);
      check_forward<float>(c, stream, DType::f32, 0);
    }
  });
}

TEST(ConvMma, LeavesTheRestToCudaCores) {
  const Window2d plain{};
  EXPECT_FALSE(conv_mma_forward_supports(conv_case("", {1, 8, 8, 3}, {8, 3, 3}, plain).problem, DType::bf16));
  EXPECT_TRUE(conv_mma_forward_supports(conv_case("", {1, 8, 8, 3}, {8, 7, 7}, plain).problem, DType::bf16));
  EXPECT_FALSE(conv_mma_backward_weights_supports(conv_case("", {1, 8, 8, 12}, {8, 3, 3}, plain).problem, DType::bf16));
  EXPECT_TRUE(conv_mma_forward_supports(conv_case("", {1, 8, 8, 12}, {8, 3, 3}, plain).problem, DType::f32));
  EXPECT_FALSE(conv_mma_forward_supports(conv_case("", {0, 8, 8, 8}, {8, 3, 3}, plain).problem, DType::bf16));
  EXPECT_FALSE(conv_mma_forward_supports(conv_case("", {1, 8, 20000, 8}, {8, 3, 3}, plain).problem, DType::bf16));
  EXPECT_FALSE(conv_mma_backward_data_supports(conv_case("", {1, 8, 8, 8}, {12, 3, 3}, plain).problem, DType::bf16));
  const Window2d stride_5{.stride = {5, 1}};
  EXPECT_FALSE(conv_mma_backward_data_supports(conv_case("", {1, 8, 8, 8}, {8, 3, 3}, stride_5).problem, DType::bf16));
}

}  // namespace

}  // namespace graft::cuda::testing
