#include <gtest/gtest.h>

#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

using LayoutTest = KernelTest;

std::vector<double> counted(std::int64_t count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
  return values;
}

}  // namespace

TEST_P(LayoutTest, NhwcToNchwAndBack) {
  for (const DType type : {dtype(), DType::u8, DType::i32, DType::i64}) {
    for (const Shape& shape : {Shape{2, 3, 5, 7}, Shape{1, 1, 1, 1}, Shape{3, 8, 8, 16}, Shape{1, 17, 19, 33},
                               Shape{0, 4, 4, 3}, Shape{2, 4, 4, 0}, Shape{2, 28, 28, 1}, Shape{2, 1, 1, 40}}) {
      const Pair x = of(counted(shape.numel()), shape, type);
      const Pair y = output({shape[0], shape[3], shape[1], shape[2]}, type);
      backend().nhwc_to_nchw(x.tested, y.tested);
      oracle().nhwc_to_nchw(x.exact, y.exact);
      expect_close("y", y, 0.0);
      const Pair back = output(shape, type);
      backend().nchw_to_nhwc(y.tested, back.tested);
      expect_close("and back", {back.tested, x.exact}, 0.0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LayoutTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
