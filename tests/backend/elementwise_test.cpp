#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

struct Layout {
  Shape shape;
  bool misaligned = false;
};

const std::vector<Layout> kLayouts = {
    {{1}},    {{0}},    {{7}},     {{16}},      {{3, 5, 7}},       {{2, 9, 11, 13}}, {{5, 0, 3}},
    {{4095}}, {{8193}}, {{40000}}, {{1}, true}, {{3, 5, 7}, true}, {{4097}, true},
};

using ElementwiseTest = KernelTest;

}  // namespace

TEST_P(ElementwiseTest, Fill) {
  for (const DType type : {dtype(), DType::i64, DType::i32, DType::u8}) {
    for (const auto& [shape, misaligned] : kLayouts) {
      misalign(misaligned);
      for (const double value : {0.0, 1.0, 3.0}) {
        const Pair y = output(shape, type);
        backend().fill(value, y.tested);
        oracle().fill(value, y.exact);
        expect_rounded("y", y);
      }
    }
  }
  const Pair third = output({33}, dtype());
  backend().fill(1.0 / 3.0, third.tested);
  oracle().fill(1.0 / 3.0, third.exact);
  expect_close("a third", third, 0x1p-25);  // by way of f32, if the backend likes
}

TEST_P(ElementwiseTest, CastBetweenFloatingTypes) {
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    for (const DType to : {DType::f32, dtype()}) {
      const Pair x = normal(shape, dtype(), 0.0, 100.0);
      const Pair y = output(shape, to);
      backend().cast(x.tested, y.tested);
      oracle().cast(x.exact, y.exact);
      expect_rounded("y", y);
    }
    const Pair x = normal(shape, DType::f32);
    const Pair y = output(shape, dtype());
    backend().cast(x.tested, y.tested);
    oracle().cast(x.exact, y.exact);
    expect_rounded("from f32", y);
  }
}

TEST_P(ElementwiseTest, CastRoundsToNearestEvenAndKeepsNan) {
  // Halfway between neighbours of bf16 (spacing 2^-7 at 1), just beside halfway, the rims of the range, and NaN.
  const std::vector<double> values = {1.0 + 0x1p-8,
                                      1.0 + 3 * 0x1p-8,
                                      1.0 + 0x1p-8 + 0x1p-23,
                                      -1.0 - 0x1p-8,
                                      0.0,
                                      -0.0,
                                      INFINITY,
                                      -INFINITY,
                                      NAN,
                                      3.4028235e38,
                                      1e-38};
  const Pair x = of(values, {static_cast<std::int64_t>(values.size())}, DType::f32);
  const Pair y = output(x.tested.shape(), dtype());
  backend().cast(x.tested, y.tested);
  oracle().cast(x.exact, y.exact);
  expect_rounded("y", y);
}

TEST_P(ElementwiseTest, CastIntegers) {
  const std::vector<double> bytes = {0, 1, 127, 128, 200, 255, 17, 99, 3};
  const Pair x = of(bytes, {9}, DType::u8);
  const Pair y = output({9}, dtype());
  backend().cast(x.tested, y.tested);
  oracle().cast(x.exact, y.exact);
  expect_rounded("u8", y);

  const Pair wide = of({-1, 0, 5, 2147483647, -2147483648.0}, {5}, DType::i64);
  const Pair narrow = output({5}, DType::i32);
  const Pair back = output({5}, DType::i64);
  backend().cast(wide.tested, narrow.tested);
  backend().cast(narrow.tested, back.tested);
  EXPECT_EQ(values_of(narrow.tested), values_of(wide.exact));
  EXPECT_EQ(values_of(back.tested), values_of(wide.exact));
}

TEST_P(ElementwiseTest, Copy) {
  for (const DType type : {dtype(), DType::i64, DType::i32, DType::u8}) {
    for (const auto& [shape, misaligned] : kLayouts) {
      misalign(misaligned);
      const Pair x = is_floating(type) ? normal(shape, type) : output(shape, type);
      const Pair y = output(shape, type);
      backend().copy(x.tested, y.tested);
      EXPECT_EQ(bytes_of(x.tested), bytes_of(y.tested)) << y.tested.str();
    }
  }
}

TEST_P(ElementwiseTest, Add) {
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    const Pair a = normal(shape, dtype());
    const Pair b = normal(shape, dtype());
    const Pair y = output(shape, dtype());
    backend().add(a.tested, b.tested, y.tested);
    oracle().add(a.exact, b.exact, y.exact);
    const std::vector<double> bound = times(kF32Roundoff, values_of(absolute(y.exact)));
    expect_close("y", y, bound);
    backend().add(a.tested, b.tested, b.tested);
    expect_close("y over b", {b.tested, y.exact}, bound);
    backend().add(a.tested, a.tested, a.tested);
    oracle().add(a.exact, a.exact, y.exact);
    expect_close("a + a over a", {a.tested, y.exact}, 0.0);
  }
}

TEST_P(ElementwiseTest, Accumulate) {
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    const Pair x = normal(shape, dtype());
    const Pair y = normal(shape, dtype());
    backend().accumulate(x.tested, y.tested);
    oracle().accumulate(x.exact, y.exact);
    expect_close("y", y, times(kF32Roundoff, values_of(absolute(y.exact))));
  }
}

TEST_P(ElementwiseTest, Scale) {
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    const Pair x = normal(shape, dtype());
    const Pair factor = normal({1}, DType::f32);
    const Pair y = output(shape, dtype());
    backend().scale(x.tested, factor.tested, y.tested);
    oracle().scale(x.exact, factor.exact, y.exact);
    const std::vector<double> bound = times(kF32Roundoff, values_of(absolute(y.exact)));
    expect_close("y", y, bound);
    backend().scale(x.tested, factor.tested, x.tested);
    expect_close("y over x", {x.tested, y.exact}, bound);
  }
}

TEST_P(ElementwiseTest, Relu) {
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    const Pair x = normal(shape, dtype());
    const Pair y = output(shape, dtype());
    backend().relu_forward(x.tested, y.tested);
    oracle().relu_forward(x.exact, y.exact);
    expect_close("y", y, 0.0);

    const Pair dy = normal(shape, dtype());
    const Pair dx = output(shape, dtype());
    backend().relu_backward(dy.tested, y.tested, dx.tested);
    oracle().relu_backward(dy.exact, y.exact, dx.exact);
    expect_close("dx", dx, 0.0);
    backend().relu_backward(dy.tested, y.tested, dy.tested);
    expect_close("dx over dy", {dy.tested, dx.exact}, 0.0);
    backend().relu_forward(x.tested, x.tested);
    expect_close("y over x", {x.tested, y.exact}, 0.0);
  }
}

TEST_P(ElementwiseTest, ReluAtZeroAndInfinity) {
  const Pair y = of({0.0, -0.0, 1.0, INFINITY, 0.0, 2.0, 0.0, 0.0, 3.0}, {9}, dtype());
  const Pair dy = of({5.0, 5.0, 5.0, INFINITY, INFINITY, NAN, NAN, -1.0, -1.0}, {9}, dtype());
  const Pair dx = output({9}, dtype());
  backend().relu_backward(dy.tested, y.tested, dx.tested);
  oracle().relu_backward(dy.exact, y.exact, dx.exact);
  expect_close("dx", dx, 0.0);
}

TEST_P(ElementwiseTest, Dropout) {
  const RandomStream random{.seed = 7, .stream = stream_of("dropout:test")};
  for (const auto& [shape, misaligned] : kLayouts) {
    misalign(misaligned);
    for (const double p : {0.0, 0.1, 0.5, 0.9}) {
      for (const double step_number : {0.0, 1.0, 4294967297.0}) {
        const Pair x = normal(shape, dtype());
        const Pair step = of({step_number}, {1}, DType::i64);
        const Pair y = output(shape, dtype());
        const DropoutOptions options{.p = p, .random = random};
        backend().dropout(x.tested, options, step.tested, y.tested);
        oracle().dropout(x.exact, options, step.exact, y.exact);
        const std::vector<double> bound = times(3.0 * kF32Roundoff, values_of(absolute(y.exact)));
        expect_close("y", y, bound);
        backend().dropout(x.tested, options, step.tested, x.tested);
        expect_close("y over x", {x.tested, y.exact}, bound);
      }
    }
  }
}

TEST_P(ElementwiseTest, DropoutKeepsTheShareThatItShould) {
  constexpr std::int64_t kCount = 40000;
  const Pair x = of(std::vector<double>(kCount, 1.0), {kCount}, dtype());
  const Pair step = of({3.0}, {1}, DType::i64);
  backend().dropout(x.tested, {.p = 0.3, .random = {.seed = 1, .stream = 2}}, step.tested, x.tested);
  double kept = 0.0;
  for (const double value : values_of(x.tested)) kept += value != 0.0 ? 1.0 : 0.0;
  // Five standard deviations of a binomial count.
  EXPECT_NEAR(kept, 0.7 * kCount, 5.0 * std::sqrt(0.3 * 0.7 * kCount));
}

TEST_P(ElementwiseTest, NormalizeImages) {
  const std::vector<Layout> layouts = {{{2, 7, 5, 3}},   {{3, 28, 28, 1}},  {{1, 1, 1, 4}},       {{0, 8, 8, 3}},
                                       {{1, 65, 64, 3}}, {{2, 3, 1, 1030}}, {{2, 9, 7, 3}, true}, {{1, 4, 4, 8}, true}};
  for (const auto& [shape, misaligned] : layouts) {
    misalign(misaligned);
    SCOPED_TRACE(shape.str());
    std::vector<double> bytes(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<double>((i * 37 + 11) % 256);
    const Pair x = of(bytes, shape, DType::u8);
    const Pair mean = normal({shape[3]}, DType::f32, 0.5, 0.1);
    const Pair deviation = normal({shape[3]}, DType::f32, 0.3, 0.02);
    const Pair y = output(shape, dtype());
    backend().normalize_images(x.tested, mean.tested, deviation.tested, y.tested);
    // Statistics of images are f32 on every backend.
    const Tensor oracle_mean = oracle().empty(mean.tested.shape(), DType::f32);
    const Tensor oracle_deviation = oracle().empty(mean.tested.shape(), DType::f32);
    set_values(oracle_mean, values_of(mean.exact));
    set_values(oracle_deviation, values_of(deviation.exact));
    oracle().normalize_images(x.exact, oracle_mean, oracle_deviation, y.exact);
    // (1 + |mean|) / deviation bounds both terms of the difference.
    const double magnitude = (1.0 + largest(values_of(mean.exact))) / 0.2;
    expect_close("y", y, 6.0 * kF32Roundoff * magnitude);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ElementwiseTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
