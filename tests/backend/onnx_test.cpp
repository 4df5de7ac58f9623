#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/backend/onnx_fixture.h"

namespace graft::testing {

namespace {

/// The window that a vector's attributes mean for an image of `image` and a kernel of `kernel` positions. Rounding up
/// (ceil_mode) is said as padding after the image: a window may begin where it still sees some of it.
Window2d window_of(const OnnxCase& c, Extent2d image, Extent2d kernel) {
  const auto stride = c.ints_or("strides", {1, 1});
  const auto dilation = c.ints_or("dilations", {1, 1});
  auto pads = c.ints_or("pads", {0, 0, 0, 0});
  const std::string auto_pad = c.string_or("auto_pad", "NOTSET");
  const std::int64_t size[] = {image.height, image.width};
  const std::int64_t taps[] = {kernel.height, kernel.width};
  for (std::size_t d = 0; d < 2; ++d) {
    const std::int64_t reach = dilation[d] * (taps[d] - 1) + 1;
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      const std::int64_t outputs = (size[d] + stride[d] - 1) / stride[d];
      const std::int64_t total = std::max<std::int64_t>((outputs - 1) * stride[d] + reach - size[d], 0);
      pads[d] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[d + 2] = total - pads[d];
    }
    if (c.int_or("ceil_mode", 0) != 0) {
      const std::int64_t rest = (size[d] + pads[d] + pads[d + 2] - reach) % stride[d];
      pads[d + 2] += rest == 0 ? 0 : stride[d] - rest;
    }
  }
  return {.stride = {stride[0], stride[1]},
          .dilation = {dilation[0], dilation[1]},
          .padding = {.top = pads[0], .left = pads[1], .bottom = pads[2], .right = pads[3]}};
}

Extent2d image_of(const Tensor& x) { return {x.dim(1), x.dim(2)}; }

Pool2dOptions pool_of(const OnnxCase& c, const Tensor& x) {
  const auto kernel = c.ints_or("kernel_shape", {});
  return {.kernel = {kernel.at(0), kernel.at(1)},
          .window = window_of(c, image_of(x), {kernel.at(0), kernel.at(1)}),
          .count_include_pad = c.int_or("count_include_pad", 0) != 0};
}

class OnnxConv : public OnnxTest {};
class OnnxGemm : public OnnxTest {};
class OnnxMatMul : public OnnxTest {};
class OnnxMaxPool : public OnnxTest {};
class OnnxAveragePool : public OnnxTest {};
class OnnxGlobalAveragePool : public OnnxTest {};
class OnnxRelu : public OnnxTest {};
class OnnxFlatten : public OnnxTest {};
class OnnxDropout : public OnnxTest {};
class OnnxSigmoid : public OnnxTest {};
class OnnxLrn : public OnnxTest {};
class OnnxConcat : public OnnxTest {};

}  // namespace

TEST_P(OnnxConv, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Tensor w = channels_last(1);
  const Conv2dOptions options{.window = window_of(vector(), image_of(x), {w.dim(1), w.dim(2)}),
                              .groups = vector().int_or("group", 1)};
  const Tensor y = empty(conv2d_output_shape(x.shape(), w.shape(), options));
  reference().conv2d_forward(x, w, input(2), {}, options, {}, y);
  const auto terms = static_cast<double>(w.numel() / w.dim(0) + 1);
  expect_output(0, channels_first(y), terms, largest(values_of(x)) * largest(values_of(w)));
}

TEST_P(OnnxGemm, MeetsTheVector) {
  const Tensor a = input(0);
  const Tensor b = input(1);
  const GemmOptions options{.transpose_a = vector().int_or("transA", 0) != 0,
                            .transpose_b = vector().int_or("transB", 0) != 0};
  const double alpha = vector().float_or("alpha", 1.0);
  const double beta = vector().float_or("beta", 1.0);
  const Tensor y = empty({a.dim(options.transpose_a ? 1 : 0), b.dim(options.transpose_b ? 0 : 1)});
  const Tensor bias = input(2);
  // Where the bias is a row, the kernel adds it itself.
  const bool row = bias.defined() && bias.numel() == y.dim(1) && alpha == 1.0 && beta == 1.0;
  reference().gemm(a, b, row ? bias.reshape({y.dim(1)}) : Tensor(), options, {}, y);
  reference().scale(y, tensor({1}, {alpha}), y);
  if (bias.defined() && !row) {
    const std::vector<double> values = values_of(bias);
    std::vector<double> whole(static_cast<std::size_t>(y.numel()));
    const auto columns = static_cast<std::size_t>(y.dim(1));
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const std::size_t from = values.size() == whole.size() ? i : values.size() == columns ? i % columns : 0;
      whole[i] = beta * values.at(from);
    }
    reference().accumulate(tensor(y.shape(), whole), y);
  }
  expect_output(0, y, static_cast<double>(a.numel() / y.dim(0) + 2), 1.0);
}

TEST_P(OnnxMatMul, MeetsTheVector) {
  const Tensor a = input(0);
  const Tensor b = input(1);
  const auto stack = [](const Tensor& t) {
    if (t.rank() == 2) return t;
    return t.reshape({t.numel() / (t.dim(-1) * t.dim(-2)), t.dim(-2), t.dim(-1)});
  };
  const Tensor y = a.rank() == 2 ? empty({a.dim(0), b.dim(1)}) : empty({stack(a).dim(0), a.dim(-2), b.dim(-1)});
  reference().gemm(stack(a), stack(b), {}, {}, {}, y);
  expect_output(0, y, static_cast<double>(a.dim(-1)), largest(values_of(a)) * largest(values_of(b)));
}

TEST_P(OnnxMaxPool, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Pool2dOptions options = pool_of(vector(), x);
  const Tensor y = empty(pool2d_output_shape(x.shape(), options));
  const Tensor indices = reference().empty(y.shape(), DType::i32);
  reference().max_pool2d_forward(x, options, y, indices);
  expect_output(0, channels_first(y), 0.0, 0.0);
  if (vector().outputs.size() < 2) return;
  // ONNX counts through the whole tensor, by rows or by columns; these vectors have one image of one channel.
  ASSERT_EQ(x.dim(0) * x.dim(3), 1);
  std::vector<double> expected = vector().outputs[1].values;
  if (vector().int_or("storage_order", 0) == 1) {
    for (double& index : expected) {
      const auto whole = static_cast<std::int64_t>(index);
      index = static_cast<double>(whole % x.dim(1) * x.dim(2) + whole / x.dim(1));
    }
  }
  EXPECT_EQ(values_of(indices), expected);
}

TEST_P(OnnxAveragePool, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Pool2dOptions options = pool_of(vector(), x);
  const Tensor y = empty(pool2d_output_shape(x.shape(), options));
  reference().avg_pool2d_forward(x, options, y);
  const auto terms = static_cast<double>(options.kernel.height * options.kernel.width);
  expect_output(0, channels_first(y), terms, largest(values_of(x)) / terms);
}

TEST_P(OnnxGlobalAveragePool, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const Tensor y = empty({x.dim(0), x.dim(3)});
  reference().global_avg_pool_forward(x, y);
  const auto terms = static_cast<double>(x.dim(1) * x.dim(2));
  expect_output(0, y, terms, largest(values_of(x)) / terms);
}

TEST_P(OnnxRelu, MeetsTheVector) {
  const Tensor x = input(0);
  const Tensor y = empty(x.shape());
  reference().relu_forward(x, y);
  expect_output(0, y, 0.0, 0.0);
}

/// Images lie in memory with channels last and are flattened in the order of channels first.
TEST_P(OnnxFlatten, MeetsTheVector) {
  const Tensor x = channels_last(0);
  expect_output(0, channels_first(x).reshape({x.dim(0), x.numel() / x.dim(0)}), 0.0, 0.0);
}

TEST_P(OnnxDropout, MeetsTheVector) {
  const Tensor x = input(0);
  const Tensor y = empty(x.shape());
  reference().dropout(x, {.p = 0.0}, tensor({1}, {5.0}, DType::i64), y);
  expect_output(0, y, 0.0, 0.0);
}

TEST_P(OnnxSigmoid, MeetsTheVector) {
  const Tensor x = input(0);
  const Tensor y = empty(x.shape());
  reference().activation_forward(Activation::sigmoid, x, y);
  expect_output(0, y, 2.0, 1.0);
}

TEST_P(OnnxLrn, MeetsTheVector) {
  const Tensor x = channels_last(0);
  const LrnOptions options{.size = vector().int_or("size", 0),
                           .alpha = vector().float_or("alpha", 1e-4),
                           .beta = vector().float_or("beta", 0.75),
                           .k = vector().float_or("bias", 1.0)};
  const Tensor y = empty(x.shape());
  reference().local_response_norm_forward(x, options, y);
  expect_output(0, channels_first(y), static_cast<double>(options.size), largest(values_of(x)));
}

/// Along the last axis, which is where channels lie.
TEST_P(OnnxConcat, MeetsTheVector) {
  std::int64_t channels = 0;
  for (std::size_t i = 0; input(i).defined(); ++i) channels += input(i).dim(-1);
  std::vector<std::int64_t> dims = vector().inputs.at(0).dims;
  dims.back() = channels;
  const Tensor y = empty(Shape(dims));
  std::int64_t first = 0;
  for (std::size_t i = 0; input(i).defined(); ++i) {
    const std::int64_t count = input(i).dim(-1);
    reference().copy_channels(input(i), 0, count, y, first);
    first += count;
  }
  expect_output(0, y, 0.0, 0.0);
}

INSTANTIATE_TEST_SUITE_P(Vectors, OnnxConv,
                         ::testing::Values("basic_conv_with_padding", "basic_conv_without_padding",
                                           "conv_with_autopad_same", "conv_with_strides_and_asymmetric_padding",
                                           "conv_with_strides_no_padding", "conv_with_strides_padding"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxGemm,
                         ::testing::Values("gemm_all_attributes", "gemm_alpha", "gemm_beta", "gemm_default_matrix_bias",
                                           "gemm_default_no_bias", "gemm_default_scalar_bias",
                                           "gemm_default_single_elem_vector_bias", "gemm_default_vector_bias",
                                           "gemm_default_zero_bias", "gemm_transposeA", "gemm_transposeB"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxMatMul, ::testing::Values("matmul_2d", "matmul_3d", "matmul_4d"), onnx_name);
// Not maxpool_2d_pads and averagepool_2d_pads: they pad by more than half of the kernel, which the contract refuses.
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxMaxPool,
                         ::testing::Values("maxpool_2d_ceil", "maxpool_2d_default", "maxpool_2d_dilations",
                                           "maxpool_2d_precomputed_pads", "maxpool_2d_precomputed_same_upper",
                                           "maxpool_2d_precomputed_strides", "maxpool_2d_same_lower",
                                           "maxpool_2d_same_upper", "maxpool_2d_strides",
                                           "maxpool_with_argmax_2d_precomputed_pads",
                                           "maxpool_with_argmax_2d_precomputed_strides"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxAveragePool,
                         ::testing::Values("averagepool_2d_ceil", "averagepool_2d_default",
                                           "averagepool_2d_precomputed_pads",
                                           "averagepool_2d_precomputed_pads_count_include_pad",
                                           "averagepool_2d_precomputed_same_upper",
                                           "averagepool_2d_precomputed_strides", "averagepool_2d_same_lower",
                                           "averagepool_2d_same_upper", "averagepool_2d_strides"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxGlobalAveragePool,
                         ::testing::Values("globalaveragepool", "globalaveragepool_precomputed"), onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxRelu, ::testing::Values("relu"), onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxFlatten,
                         ::testing::Values("flatten_axis1", "flatten_default_axis", "flatten_negative_axis3"),
                         onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxDropout, ::testing::Values("training_dropout_zero_ratio"), onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxSigmoid, ::testing::Values("sigmoid", "sigmoid_example"), onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxLrn, ::testing::Values("lrn", "lrn_default"), onnx_name);
INSTANTIATE_TEST_SUITE_P(Vectors, OnnxConcat,
                         ::testing::Values("concat_1d_axis_0", "concat_1d_axis_negative_1", "concat_2d_axis_1",
                                           "concat_2d_axis_negative_1", "concat_3d_axis_2",
                                           "concat_3d_axis_negative_1"),
                         onnx_name);

}  // namespace graft::testing
