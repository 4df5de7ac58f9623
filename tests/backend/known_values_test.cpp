#include <gtest/gtest.h>

#include <vector>

#include "tests/backend/known_values.h"

namespace graft::testing {

namespace {

using KnownLayerValuesTest = KnownValuesTest;

}  // namespace

TEST_P(KnownLayerValuesTest, Conv2d) {
  const Conv2dOptions options{.window = {.stride = {2, 1}, .dilation = {2, 1}, .padding = Padding2d::same(1)},
                              .groups = 2};
  const Shape x_shape{1, 4, 5, 4};
  const Shape w_shape{4, 2, 3, 2};
  const Shape y_shape{1, 2, 5, 4};
  const Tensor x = in(x_shape, sevens(80));
  const Tensor w = in(w_shape, fives(48));
  const Tensor dy = in(y_shape, fives(40));
  const Tensor y = out(y_shape);
  const Tensor dx = out(x_shape);
  const Tensor dw = out(w_shape);
  const Tensor dbias = out({4});
  backend().conv2d_forward(x, w, in({4}, {0.5, -0.25, 0.125, 1.0}), {}, options,
                           scratch(backend().conv2d_forward_scratch_bytes(x_shape, w_shape, dtype(), options)), y);
  backend().conv2d_backward_data(
      dy, w, options, scratch(backend().conv2d_backward_data_scratch_bytes(x_shape, w_shape, dtype(), options)), dx);
  backend().conv2d_backward_weights(
      x, dy, options, scratch(backend().conv2d_backward_weights_scratch_bytes(x_shape, w_shape, dtype(), options)), dw,
      dbias);
  expect("y", y,
         {0.75,      -0.421875, 0.328125, 1.46875,  0.84375,  -0.046875, -0.46875, 1.140625,  0.390625, -0.53125,
          -0.28125,  1.296875,  0.796875, -0.15625, 0.421875, 0.59375,   0.609375, -0.828125, -0.03125, 0.890625,
          0.5625,    -0.46875,  0.875,    0.0,      0.546875, -0.859375, 0.703125, 1.203125,  0.515625, 0.265625,
          -0.109375, 1.1875,    0.484375, -0.84375, -0.75,    1.34375,   0.015625, 0.890625,  0.46875,  0.171875});
  expect("dx", dx,
         {0.0,       0.0,       0.0,      0.0,       0.0,       0.0,      0.0,      0.0,       0.0,       0.0,
          0.0,       0.0,       0.0,      0.0,       0.0,       0.0,      0.0,      0.0,       0.0,       0.0,
          1.390625,  -0.640625, -0.53125, 0.84375,   -0.484375, 0.15625,  -0.25,    0.21875,   0.84375,   0.125,
          -0.671875, -0.140625, 0.34375,  -0.109375, 0.328125,  -0.09375, -0.90625, 0.4375,    -0.328125, -0.046875,
          0.0,       0.0,       0.0,      0.0,       0.0,       0.0,      0.0,      0.0,       0.0,       0.0,
          0.0,       0.0,       0.0,      0.0,       0.0,       0.0,      0.0,      0.0,       0.0,       0.0,
          -0.78125,  0.21875,   0.25,     0.515625,  -0.046875, 0.453125, -0.34375, -0.4375,   -0.609375, -0.078125,
          0.453125,  0.390625,  -0.15625, -0.609375, -0.375,    -0.40625, 0.359375, -0.609375, 0.609375,  0.125});
  expect("dw", dw,
         {-0.015625, -0.125,    -0.5,     0.109375,  0.328125,  -0.46875,  -0.6875,  0.453125,  0.75,     -1.09375,
          -1.3125,   1.15625,   -0.6875,  0.484375,  0.625,     -0.59375,  -0.59375, 0.703125,  1.0625,   -1.125,
          -1.234375, 1.34375,   1.15625,  -1.125,    0.671875,  -0.015625, -0.59375, -0.375,    0.421875, 0.546875,
          -1.3125,   -0.171875, 0.75,     1.21875,   -0.6875,   -0.28125,  -0.6875,  -0.140625, 0.484375, 0.203125,
          -0.78125,  -0.28125,  0.078125, -0.171875, -0.109375, -0.03125,  0.203125, -0.828125});
  expect("dbias", dbias, {0.25, 0.0, -0.25, -0.5});
}

TEST_P(KnownLayerValuesTest, MaxPool2d) {
  const Pool2dOptions options{.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}};
  const Tensor y = out({1, 3, 2, 2});
  const Tensor indices = output({1, 3, 2, 2}, DType::i32).tested;
  const Tensor dx = out({1, 5, 4, 2});
  backend().max_pool2d_forward(in({1, 5, 4, 2}, sevens(40)), options, y, indices);
  backend().max_pool2d_backward(in({1, 3, 2, 2}, fives(12)), indices, options, dx);
  expect("y", y, {0.25, 0.625, 0.625, 0.5, 0.5, 0.0, 0.625, 0.625, 0.625, 0.125, 0.625, 0.5});
  EXPECT_EQ(values_of(indices), (Values{5.0, 0.0, 6.0, 7.0, 13.0, 13.0, 6.0, 11.0, 17.0, 17.0, 17.0, 18.0}));
  expect("dx", dx, {0.0, 0.125, 0.0, 0.0, 0.0, 0.0, 0.0,    0.0,  0.0, 0.0,    -0.5, 0.0, 0.75,  0.0,
                    0.0, -0.25, 0.0, 0.0, 0.0, 0.0, 0.0,    0.0,  0.0, 0.625,  0.0,  0.0, 0.375, -0.625,
                    0.0, 0.0,   0.0, 0.0, 0.0, 0.0, -1.125, 0.25, 0.0, -0.125, 0.0,  0.0});
}

TEST_P(KnownLayerValuesTest, AveragePool2d) {
  for (const bool count_include_pad : {true, false}) {
    const Pool2dOptions options{.kernel = {3, 3},
                                .window = {.stride = {2, 2}, .padding = Padding2d::same(1)},
                                .count_include_pad = count_include_pad};
    const Tensor y = out({1, 3, 2, 2});
    const Tensor dx = out({1, 5, 4, 2});
    backend().avg_pool2d_forward(in({1, 5, 4, 2}, sevens(40)), options, y);
    backend().avg_pool2d_backward(in({1, 3, 2, 2}, fives(12)), options, dx);
    expect("y", y,
           count_include_pad
               ? Values{0.0, -0.06944444444444445, 0.06944444444444445, 0.041666666666666664, 0.125,
                        -0.20833333333333334, -0.013888888888888888, 0.09722222222222222, 0.16666666666666666,
                        -0.05555555555555555, 0.013888888888888888, -0.013888888888888888}
               : Values{0.0, -0.15625, 0.10416666666666667, 0.0625, 0.1875, -0.3125, -0.013888888888888888,
                        0.09722222222222222, 0.375, -0.125, 0.020833333333333332, -0.020833333333333332});
    expect("dx", dx,
           count_include_pad ? Values{-0.05555555555555555,
                                      0.013888888888888888,
                                      0.027777777777777776,
                                      -0.013888888888888888,
                                      0.08333333333333333,
                                      -0.027777777777777776,
                                      0.08333333333333333,
                                      -0.027777777777777776,
                                      -0.013888888888888888,
                                      -0.05555555555555556,
                                      0.06944444444444445,
                                      -0.013888888888888895,
                                      0.08333333333333333,
                                      0.04166666666666667,
                                      0.08333333333333333,
                                      0.04166666666666667,
                                      0.041666666666666664,
                                      -0.06944444444444445,
                                      0.041666666666666664,
                                      0.0,
                                      0.0,
                                      0.06944444444444445,
                                      0.0,
                                      0.06944444444444445,
                                      0.0,
                                      -0.04166666666666667,
                                      -0.08333333333333333,
                                      0.013888888888888888,
                                      -0.08333333333333333,
                                      0.05555555555555556,
                                      -0.08333333333333333,
                                      0.05555555555555556,
                                      -0.041666666666666664,
                                      0.027777777777777776,
                                      -0.125,
                                      0.013888888888888888,
                                      -0.08333333333333333,
                                      -0.013888888888888888,
                                      -0.08333333333333333,
                                      -0.013888888888888888}
                             : Values{-0.125,   0.03125,
                                      0.0,      -0.010416666666666664,
                                      0.125,    -0.041666666666666664,
                                      0.125,    -0.041666666666666664,
                                      -0.0625,  -0.07291666666666667,
                                      0.0625,   -0.045138888888888895,
                                      0.125,    0.027777777777777783,
                                      0.125,    0.027777777777777783,
                                      0.0625,   -0.10416666666666667,
                                      0.0625,   -0.034722222222222224,
                                      0.0,      0.06944444444444445,
                                      0.0,      0.06944444444444445,
                                      -0.03125, -0.04166666666666667,
                                      -0.15625, 0.006944444444444444,
                                      -0.125,   0.04861111111111112,
                                      -0.125,   0.04861111111111112,
                                      -0.09375, 0.0625,
                                      -0.21875, 0.04166666666666667,
                                      -0.125,   -0.020833333333333332,
                                      -0.125,   -0.020833333333333332});
  }
}

TEST_P(KnownLayerValuesTest, SubsamplePad) {
  const Tensor y = out({1, 2, 1, 3});
  const Tensor dx = out({1, 3, 2, 1});
  backend().subsample_pad_forward(in({1, 3, 2, 1}, {1, 2, 3, 4, 5, 6}), 2, y);
  backend().subsample_pad_backward(in({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}), 2, dx);
  expect("y", y, {0, 1, 0, 0, 5, 0});
  expect("dx", dx, {2, 0, 0, 0, 5, 0});
}

TEST_P(KnownLayerValuesTest, NormalizeImages) {
  const Tensor x = of({0, 255, 51, 102}, {1, 1, 2, 2}, DType::u8).tested;
  const Tensor mean = of({0.5, 0.25}, {2}, DType::f32).tested;
  const Tensor deviation = of({0.5, 0.125}, {2}, DType::f32).tested;
  const Tensor y = out({1, 1, 2, 2});
  backend().normalize_images(x, mean, deviation, y);
  expect("y", y, {-1.0, 6.0, -0.6, 1.2});
}

INSTANTIATE_TEST_SUITE_P(Backends, KnownLayerValuesTest, ::testing::ValuesIn(known_values_params()), kernel_param_name);

}  // namespace graft::testing
