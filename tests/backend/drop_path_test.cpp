#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {
using DropPathTest = KernelTest;
}  // namespace

TEST_P(DropPathTest, KeepsOrDropsWholeImages) {
  const RandomStream random{.seed = 7, .stream = stream_of("drop_path:test")};
  for (const Shape& shape : {Shape{9, 5, 3, 8}, Shape{7, 3}, Shape{1}, Shape{40, 1}, Shape{0, 4}, Shape{3, 0, 2},
                             Shape{3, 9001}, Shape{2, 1, 1, 20000}}) {
    for (const bool misaligned : {false, true}) {
      for (const double p : {0.0, 0.3, 0.9}) {
        for (const double step_number : {0.0, 3.0, 4294967297.0}) {
          SCOPED_TRACE(shape.str() + ", p " + std::to_string(p) + ", step " + std::to_string(step_number));
          misalign(misaligned);
          const DropoutOptions options{.p = p, .random = random};
          const Pair x = normal(shape, dtype());
          const Pair step = of({step_number}, {1}, DType::i64);
          const Pair y = output(shape, dtype());
          backend().drop_path(x.tested, options, step.tested, y.tested);
          oracle().drop_path(x.exact, options, step.exact, y.exact);
          const std::vector<double> bound = times(3.0 * kF32Roundoff, values_of(absolute(y.exact)));
          expect_close("y", y, bound);
          backend().drop_path(x.tested, options, step.tested, x.tested);
          expect_close("y over x", {x.tested, y.exact}, bound);
        }
      }
    }
  }
}

TEST_P(DropPathTest, WhatIsDroppedIsZeroWhateverItWas) {
  const RandomStream random{.seed = 1, .stream = 2};
  constexpr std::int64_t kImages = 2000;
  const Pair x = of(std::vector<double>(kImages, NAN), {kImages}, dtype());
  const Pair step = of({3.0}, {1}, DType::i64);
  backend().drop_path(x.tested, {.p = 0.3, .random = random}, step.tested, x.tested);
  const std::vector<double> values = values_of(x.tested);
  double kept = 0.0;
  for (std::size_t n = 0; n < values.size(); ++n) {
    const bool is_kept = static_cast<double>(uniform_float(random.word(3, n))) >= 0.3;
    kept += is_kept ? 1.0 : 0.0;
    EXPECT_EQ(std::isnan(values[n]), is_kept) << "image " << n;
    EXPECT_TRUE(is_kept || values[n] == 0.0) << "image " << n;
  }
  // Five standard deviations of a binomial count.
  EXPECT_NEAR(kept, 0.7 * kImages, 5.0 * std::sqrt(0.3 * 0.7 * kImages));
}

TEST_P(DropPathTest, RefusesWhatBreaksTheContract) {
  const Tensor x = backend().zeros({2, 4}, dtype());
  const Tensor step = backend().zeros({1}, DType::i64);
  EXPECT_THROW(backend().drop_path(x, {.p = 1.0}, step, x), Error);
  EXPECT_THROW(backend().drop_path(x, {.p = -0.1}, step, x), Error);
  EXPECT_THROW(backend().drop_path(x, {}, {}, x), Error);
  EXPECT_THROW(backend().drop_path(x, {}, step, backend().zeros({2, 5}, dtype())), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, DropPathTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
