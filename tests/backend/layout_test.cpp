#include <gtest/gtest.h>

#include <string>
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
                               Shape{0, 4, 4, 3}, Shape{2, 4, 4, 0}, Shape{2, 28, 28, 1}, Shape{2, 1, 1, 40},
                               Shape{2, 13, 5, 64}, Shape{1, 9, 15, 65}, Shape{3, 20, 1, 16}, Shape{2, 3, 5, 200}}) {
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

TEST_P(LayoutTest, SubsamplePad) {
  struct SubsampleCase {
    Shape x;
    std::int64_t stride, channels;
    bool misaligned = false;
  };
  for (const auto& [shape, stride, channels, misaligned] :
       {SubsampleCase{{2, 8, 8, 16}, 2, 32}, SubsampleCase{{2, 8, 8, 16}, 2, 32, true},
        SubsampleCase{{2, 7, 5, 3}, 2, 8}, SubsampleCase{{1, 5, 7, 5}, 3, 5}, SubsampleCase{{3, 4, 4, 8}, 1, 24},
        SubsampleCase{{1, 3, 3, 8}, 7, 16}, SubsampleCase{{0, 4, 4, 8}, 2, 16}, SubsampleCase{{2, 4, 4, 0}, 2, 0},
        SubsampleCase{{2, 4, 4, 0}, 2, 8}}) {
    SCOPED_TRACE(shape.str() + " to " + std::to_string(channels) + " channels, stride " + std::to_string(stride));
    misalign(misaligned);
    const Shape sampled{shape[0], (shape[1] + stride - 1) / stride, (shape[2] + stride - 1) / stride, channels};
    const Pair x = normal(shape, dtype());
    const Pair y = output(sampled, dtype());
    backend().subsample_pad_forward(x.tested, stride, y.tested);
    oracle().subsample_pad_forward(x.exact, stride, y.exact);
    expect_close("y", y, 0.0);
    const Pair dy = normal(sampled, dtype());
    const Pair dx = output(shape, dtype());
    backend().subsample_pad_backward(dy.tested, stride, dx.tested);
    oracle().subsample_pad_backward(dy.exact, stride, dx.exact);
    expect_close("dx", dx, 0.0);
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, LayoutTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
