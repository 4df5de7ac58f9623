#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {
using AdaptiveAvgPoolTest = KernelTest;
}  // namespace

TEST_P(AdaptiveAvgPoolTest, ForwardAndBackward) {
  struct AdaptiveCase {
    Shape x;
    std::int64_t height, width;
  };
  for (const auto& [shape, height, width] :
       {AdaptiveCase{{2, 7, 7, 16}, 7, 7}, AdaptiveCase{{2, 13, 9, 8}, 6, 6}, AdaptiveCase{{3, 5, 6, 3}, 2, 4},
        AdaptiveCase{{1, 1, 1, 8}, 7, 7}, AdaptiveCase{{2, 3, 2, 5}, 7, 5}, AdaptiveCase{{2, 6, 8, 24}, 1, 1},
        AdaptiveCase{{0, 4, 4, 8}, 2, 2}, AdaptiveCase{{2, 4, 4, 0}, 2, 2}, AdaptiveCase{{2, 0, 3, 8}, 2, 2},
        AdaptiveCase{{1, 31, 29, 33}, 10, 3}}) {
    for (const bool misaligned : {false, true}) {
      SCOPED_TRACE(shape.str() + " to " + std::to_string(height) + " x " + std::to_string(width));
      misalign(misaligned);
      const Shape pooled{shape[0], height, width, shape[3]};
      const auto terms = static_cast<double>(shape[1] * shape[2]) + 4.0;
      const Pair x = normal(shape, dtype());
      const Pair y = output(pooled, dtype());
      backend().adaptive_avg_pool2d_forward(x.tested, y.tested);
      oracle().adaptive_avg_pool2d_forward(x.exact, y.exact);
      const Tensor y_magnitude = like(y.exact);
      oracle().adaptive_avg_pool2d_forward(absolute(x.exact), y_magnitude);
      expect_close("y", y, times(terms * kF32Roundoff, values_of(y_magnitude)));

      const Pair dy = normal(pooled, dtype());
      const Pair dx = output(shape, dtype());
      backend().adaptive_avg_pool2d_backward(dy.tested, dx.tested);
      oracle().adaptive_avg_pool2d_backward(dy.exact, dx.exact);
      const Tensor dx_magnitude = like(dx.exact);
      oracle().adaptive_avg_pool2d_backward(absolute(dy.exact), dx_magnitude);
      expect_close("dx", dx,
                   times((static_cast<double>(height * width) + 4.0) * kF32Roundoff, values_of(dx_magnitude)));
    }
  }
}

// PyTorch's windows over five columns for three results: columns 0-1, 1-3, 3-4.
TEST_P(AdaptiveAvgPoolTest, WindowsByHand) {
  const Pair x = of({1.0, 3.0, 5.0, 10.0, 20.0}, {1, 1, 5, 1}, dtype());
  const Pair y = output({1, 1, 3, 1}, dtype());
  backend().adaptive_avg_pool2d_forward(x.tested, y.tested);
  EXPECT_EQ(values_of(y.tested), (std::vector<double>{2.0, 6.0, 15.0}));
  const Pair dy = of({2.0, 3.0, 4.0}, {1, 1, 3, 1}, dtype());
  const Pair dx = output({1, 1, 5, 1}, dtype());
  backend().adaptive_avg_pool2d_backward(dy.tested, dx.tested);
  EXPECT_EQ(values_of(dx.tested), (std::vector<double>{1.0, 2.0, 1.0, 3.0, 2.0}));
}

TEST_P(AdaptiveAvgPoolTest, RefusesWhatBreaksTheContract) {
  const auto t = [&](const Shape& shape) { return backend().zeros(shape, dtype()); };
  const Tensor x = t({2, 4, 4, 3});
  for (const Tensor& y : {t({2, 0, 2, 3}), t({2, 2, 2, 4}), t({1, 2, 2, 3}), t({2, 3}), Tensor(), x}) {
    EXPECT_THROW(backend().adaptive_avg_pool2d_forward(x, y), Error) << y.str();
    EXPECT_THROW(backend().adaptive_avg_pool2d_backward(y, x), Error) << y.str();
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, AdaptiveAvgPoolTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
