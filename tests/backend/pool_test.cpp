#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

struct PoolCase {
  std::string name;
  Shape x;
  Pool2dOptions options;
  bool misaligned = false;
};

Pool2dOptions pool(Extent2d kernel, Extent2d stride, Padding2d padding = {}, Extent2d dilation = {1, 1}) {
  return {.kernel = kernel, .window = {.stride = stride, .dilation = dilation, .padding = padding}};
}

std::vector<PoolCase> pool_cases() {
  return {
      {"2x2", {2, 6, 8, 16}, pool({2, 2}, {2, 2})},
      {"2x2, odd image and channels", {3, 7, 5, 5}, pool({2, 2}, {2, 2})},
      {"3x3 stride 2 padded, a stem", {2, 13, 12, 33}, pool({3, 3}, {2, 2}, Padding2d::same(1))},
      {"3x3 stride 1 padded", {1, 6, 6, 7}, pool({3, 3}, {1, 1}, Padding2d::same(1))},
      {"asymmetric padding", {1, 6, 7, 3}, pool({3, 3}, {2, 1}, {1, 0, 0, 1})},
      {"3x2 kernel, stride 1x3", {2, 8, 9, 4}, pool({3, 2}, {1, 3})},
      {"gaps between windows", {1, 9, 9, 2}, pool({2, 2}, {3, 3})},
      {"1x1", {1, 3, 3, 8}, pool({1, 1}, {1, 1})},
      {"whole image", {4, 8, 8, 64}, pool({8, 8}, {8, 8})},
      {"one element", {1, 1, 1, 1}, pool({1, 1}, {1, 1})},
      {"no images", {0, 4, 4, 3}, pool({2, 2}, {2, 2})},
      {"no channels", {2, 4, 4, 0}, pool({2, 2}, {2, 2})},
      {"window does not fit", {2, 1, 4, 3}, pool({2, 2}, {2, 2})},
      {"misaligned", {2, 7, 6, 8}, pool({3, 3}, {2, 2}, Padding2d::same(1)), true},
      {"several blocks", {2, 23, 21, 24}, pool({3, 3}, {2, 2}, Padding2d::same(1))},
  };
}

std::vector<PoolCase> dilated_cases() {
  return {
      {"dilation 2", {2, 9, 8, 5}, pool({3, 3}, {1, 1}, {}, {2, 2})},
      {"dilation 2x3, stride 2, padded", {1, 11, 12, 9}, pool({3, 2}, {2, 2}, {1, 1, 1, 1}, {2, 3})},
  };
}

class PoolTest : public KernelTest {
 protected:
  void compare_max(const Pair& x, const Pool2dOptions& options) {
    const Shape shape = pool2d_output_shape(x.tested.shape(), options);
    const Pair y = output(shape, dtype());
    const Pair indices = output(shape, DType::i32);
    backend().max_pool2d_forward(x.tested, options, y.tested, indices.tested);
    oracle().max_pool2d_forward(x.exact, options, y.exact, indices.exact);
    expect_close("y", y, 0.0);
    expect_close("indices", indices, 0.0);
    const Pair without_indices = output(shape, dtype());
    backend().max_pool2d_forward(x.tested, options, without_indices.tested, {});
    EXPECT_EQ(bytes_of(without_indices.tested), bytes_of(y.tested)) << "y depends on whether indices are wanted";
  }

  void compare_max_backward(const PoolCase& c) {
    const Pair x = normal(c.x, dtype());
    const Shape shape = pool2d_output_shape(c.x, c.options);
    const Pair y = output(shape, dtype());
    const Pair indices = output(shape, DType::i32);
    oracle().max_pool2d_forward(x.exact, c.options, y.exact, indices.exact);
    set_values(indices.tested, values_of(indices.exact));
    const Pair dy = normal(shape, dtype());
    const Pair dx = output(c.x, dtype());
    backend().max_pool2d_backward(dy.tested, indices.tested, c.options, dx.tested);
    oracle().max_pool2d_backward(dy.exact, indices.exact, c.options, dx.exact);
    const Tensor magnitude = like(dx.exact);
    oracle().max_pool2d_backward(absolute(dy.exact), indices.exact, c.options, magnitude);
    expect_close("dx", dx, times(terms(c.options) * kF32Roundoff, values_of(magnitude)));
  }

  static double terms(const Pool2dOptions& options) {
    return static_cast<double>(options.kernel.height * options.kernel.width) + 2.0;
  }
};

}  // namespace

TEST_P(PoolTest, MaxForward) {
  std::vector<PoolCase> cases = pool_cases();
  for (const PoolCase& c : dilated_cases()) cases.push_back(c);
  for (const PoolCase& c : cases) {
    SCOPED_TRACE(c.name);
    misalign(c.misaligned);
    compare_max(normal(c.x, dtype()), c.options);
  }
}

TEST_P(PoolTest, MaxOfEqualsIsTheFirst) {
  const Shape shape{2, 6, 6, 20};
  compare_max(of(std::vector<double>(static_cast<std::size_t>(shape.numel()), -3.0), shape, dtype()),
              pool({3, 3}, {2, 2}, Padding2d::same(1)));
}

TEST_P(PoolTest, MaxTakesNanAndInfinity) {
  const Shape shape{1, 5, 5, 17};
  Pair x = normal(shape, dtype());
  std::vector<double> values = values_of(x.exact);
  for (std::size_t i = 0; i < values.size(); i += 7) values[i] = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 3; i < values.size(); i += 5) values[i] = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 4; i < values.size(); i += 11) values[i] = std::numeric_limits<double>::infinity();
  x = of(values, shape, dtype());
  compare_max(x, pool({3, 3}, {1, 1}, Padding2d::same(1)));
  compare_max(of(std::vector<double>(values.size(), -std::numeric_limits<double>::infinity()), shape, dtype()),
              pool({2, 2}, {2, 2}, Padding2d::same(1)));
}

TEST_P(PoolTest, MaxBackward) {
  std::vector<PoolCase> cases = pool_cases();
  for (const PoolCase& c : dilated_cases()) cases.push_back(c);
  for (const PoolCase& c : cases) {
    SCOPED_TRACE(c.name);
    misalign(c.misaligned);
    compare_max_backward(c);
  }
}

TEST_P(PoolTest, AverageForward) {
  for (PoolCase c : pool_cases()) {
    for (const bool count_include_pad : {false, true}) {
      SCOPED_TRACE(c.name + (count_include_pad ? ", padding counts" : ", padding does not count"));
      c.options.count_include_pad = count_include_pad;
      misalign(c.misaligned);
      const Pair x = normal(c.x, dtype());
      const Pair y = output(pool2d_output_shape(c.x, c.options), dtype());
      backend().avg_pool2d_forward(x.tested, c.options, y.tested);
      oracle().avg_pool2d_forward(x.exact, c.options, y.exact);
      const Tensor magnitude = like(y.exact);
      oracle().avg_pool2d_forward(absolute(x.exact), c.options, magnitude);
      expect_close("y", y, times(terms(c.options) * kF32Roundoff, values_of(magnitude)));
    }
  }
}

TEST_P(PoolTest, AverageBackward) {
  for (PoolCase c : pool_cases()) {
    for (const bool count_include_pad : {false, true}) {
      SCOPED_TRACE(c.name + (count_include_pad ? ", padding counts" : ", padding does not count"));
      c.options.count_include_pad = count_include_pad;
      misalign(c.misaligned);
      const Pair dy = normal(pool2d_output_shape(c.x, c.options), dtype());
      const Pair dx = output(c.x, dtype());
      backend().avg_pool2d_backward(dy.tested, c.options, dx.tested);
      oracle().avg_pool2d_backward(dy.exact, c.options, dx.exact);
      const Tensor magnitude = like(dx.exact);
      oracle().avg_pool2d_backward(absolute(dy.exact), c.options, magnitude);
      expect_close("dx", dx, times(terms(c.options) * kF32Roundoff, values_of(magnitude)));
    }
  }
}

TEST_P(PoolTest, GlobalAverage) {
  for (const Shape& shape : {Shape{2, 7, 7, 64}, Shape{3, 5, 4, 13}, Shape{1, 1, 1, 1}, Shape{0, 4, 4, 8},
                             Shape{2, 8, 8, 0}, Shape{1, 32, 31, 3}, Shape{2, 3, 5, 520}, Shape{3, 2, 3, 8}}) {
    SCOPED_TRACE(shape.str());
    misalign(shape[3] == 8);
    const Pair x = normal(shape, dtype());
    const Pair y = output({shape[0], shape[3]}, dtype());
    backend().global_avg_pool_forward(x.tested, y.tested);
    oracle().global_avg_pool_forward(x.exact, y.exact);
    const Tensor magnitude = like(y.exact);
    oracle().global_avg_pool_forward(absolute(x.exact), magnitude);
    const double positions = static_cast<double>(shape[1] * shape[2]);
    expect_close("y", y, times((positions + 2.0) * kF32Roundoff, values_of(magnitude)));

    const Pair dy = normal({shape[0], shape[3]}, dtype());
    const Pair dx = output(shape, dtype());
    backend().global_avg_pool_backward(dy.tested, dx.tested);
    oracle().global_avg_pool_backward(dy.exact, dx.exact);
    expect_close("dx", dx, 2.0 * kF32Roundoff * largest(values_of(dx.exact)));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, PoolTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
