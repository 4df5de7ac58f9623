#include "engine/backend/channels.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

class ChannelsTest : public KernelTest {
 protected:
  /// Every image's products are summed over `positions` of them, with another order on every backend.
  void compare_gradients(const Shape& shape) {
    const Shape per_channel{shape[0], shape[3]};
    const Pair dy = normal(shape, dtype());
    const Pair x = normal(shape, dtype());
    const Pair s = normal(per_channel, dtype());
    const Pair dx = output(shape, dtype());
    const Pair ds = output(per_channel, dtype());
    backend().scale_channels_backward(dy.tested, x.tested, s.tested, dx.tested, ds.tested);
    oracle().scale_channels_backward(dy.exact, x.exact, s.exact, dx.exact, ds.exact);
    const std::vector<double> dx_bound = times(2.0 * kF32Roundoff, values_of(absolute(dx.exact)));
    expect_close("dx", dx, dx_bound);
    const Tensor magnitude = like(ds.exact);
    oracle().scale_channels_backward(absolute(dy.exact), absolute(x.exact), s.exact, {}, magnitude);
    const auto positions = static_cast<double>(shape[1] * shape[2]);
    expect_close("ds", ds, times((positions + 2.0) * kF32Roundoff, values_of(magnitude)));

    const Pair alone = output(per_channel, dtype());
    backend().scale_channels_backward(dy.tested, x.tested, {}, {}, alone.tested);
    EXPECT_EQ(bytes_of(alone.tested), bytes_of(ds.tested)) << "ds depends on whether dx is wanted";
    const Pair dx_alone = output(shape, dtype());
    backend().scale_channels_backward(dy.tested, {}, s.tested, dx_alone.tested, {});
    EXPECT_EQ(bytes_of(dx_alone.tested), bytes_of(dx.tested)) << "dx depends on whether ds is wanted";

    const Tensor kept = backend().empty(shape, dtype());
    backend().copy(dy.tested, kept);
    backend().scale_channels_backward(dy.tested, x.tested, s.tested, dy.tested, alone.tested);
    EXPECT_EQ(bytes_of(dy.tested), bytes_of(dx.tested)) << "dx over dy";
    EXPECT_EQ(bytes_of(alone.tested), bytes_of(ds.tested)) << "ds with dx over dy";
    backend().scale_channels_backward(kept, x.tested, s.tested, x.tested, alone.tested);
    EXPECT_EQ(bytes_of(x.tested), bytes_of(dx.tested)) << "dx over x";
    EXPECT_EQ(bytes_of(alone.tested), bytes_of(ds.tested)) << "ds with dx over x";
  }
};

}  // namespace

TEST_P(ChannelsTest, CopyChannels) {
  struct Copy {
    Shape x, y;
    std::int64_t x_first, count, y_first;
    bool misaligned = false;
  };
  for (const auto& [x_shape, y_shape, x_first, count, y_first, misaligned] :
       {Copy{{2, 3, 5, 8}, {2, 3, 5, 24}, 0, 8, 16}, Copy{{2, 3, 5, 24}, {2, 3, 5, 8}, 8, 8, 0},
        Copy{{3, 2, 7, 5}, {3, 2, 7, 9}, 0, 5, 3}, Copy{{3, 2, 7, 12}, {3, 2, 7, 6}, 2, 4, 2},
        Copy{{9, 1}, {9, 1}, 0, 1, 0}, Copy{{4}, {6}, 1, 2, 3}, Copy{{2, 8}, {2, 8}, 3, 0, 8},
        Copy{{2, 0}, {2, 4}, 0, 0, 4}, Copy{{0, 4}, {0, 6}, 0, 4, 1}, Copy{{40, 3, 64}, {120, 96}, 0, 64, 32},
        Copy{{2, 3, 5, 8}, {2, 3, 5, 24}, 0, 8, 16, true}}) {
    for (const DType type : {dtype(), DType::u8, DType::i32, DType::i64}) {
      SCOPED_TRACE(x_shape.str() + " to " + y_shape.str() + " of " + std::string(name_of(type)));
      misalign(misaligned);
      std::vector<double> values(static_cast<std::size_t>(x_shape.numel()));
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
      const Pair x = of(values, x_shape, type);
      // What lies beside the copied channels must stay.
      const Pair y = of(std::vector<double>(static_cast<std::size_t>(y_shape.numel()), 7.0), y_shape, type);
      backend().copy_channels(x.tested, x_first, count, y.tested, y_first);
      oracle().copy_channels(x.exact, x_first, count, y.exact, y_first);
      expect_close("y", y, 0.0);
    }
  }
}

TEST_P(ChannelsTest, CopyChannelsByHand) {
  const Pair x = of({1, 2, 3, 4, 5, 6}, {2, 3}, dtype());
  const Pair y = of({9, 9, 9, 9, 9, 9, 9, 9}, {2, 4}, dtype());
  backend().copy_channels(x.tested, 1, 2, y.tested, 2);
  EXPECT_EQ(values_of(y.tested), (std::vector<double>{9, 9, 2, 3, 9, 9, 5, 6}));
}

TEST_P(ChannelsTest, ScaleChannels) {
  for (const Shape& shape :
       {Shape{2, 7, 5, 16}, Shape{3, 4, 3, 5}, Shape{1, 1, 1, 1}, Shape{0, 4, 4, 8}, Shape{2, 0, 4, 8},
        Shape{2, 4, 4, 0}, Shape{2, 17, 19, 33}, Shape{1, 3, 3, 2100}, Shape{5, 1, 1, 96}, Shape{2, 31, 29, 8}}) {
    for (const bool misaligned : {false, true}) {
      SCOPED_TRACE(shape.str() + (misaligned ? ", misaligned" : ""));
      misalign(misaligned);
      const Pair x = normal(shape, dtype());
      const Pair s = normal({shape[0], shape[3]}, dtype());
      const Pair y = output(shape, dtype());
      backend().scale_channels(x.tested, s.tested, y.tested);
      oracle().scale_channels(x.exact, s.exact, y.exact);
      const std::vector<double> bound = times(kF32Roundoff, values_of(absolute(y.exact)));
      expect_close("y", y, bound);
      backend().scale_channels(x.tested, s.tested, x.tested);
      expect_close("y over x", {x.tested, y.exact}, bound);
      compare_gradients(shape);
    }
  }
}

// Frozen prefixes run in batches of another order: an image's gradient must not depend on its neighbours.
TEST_P(ChannelsTest, ScaleChannelsBackwardDoesNotDependOnTheBatch) {
  const Shape shape{3, 9, 7, 24};
  const Pair dy = normal(shape, dtype());
  const Pair x = normal(shape, dtype());
  const Pair all = output({3, 24}, dtype());
  backend().scale_channels_backward(dy.tested, x.tested, {}, {}, all.tested);
  for (std::int64_t n = 0; n < 3; ++n) {
    const Pair one = output({1, 24}, dtype());
    backend().scale_channels_backward(dy.tested.slice(n, n + 1), x.tested.slice(n, n + 1), {}, {}, one.tested);
    EXPECT_EQ(bytes_of(one.tested), bytes_of(all.tested.slice(n, n + 1))) << "image " << n;
  }
}

TEST_P(ChannelsTest, RefusesWhatBreaksTheContract) {
  const auto t = [&](const Shape& shape) { return backend().zeros(shape, dtype()); };
  const Tensor x = t({2, 3, 3, 4});
  EXPECT_THROW(backend().copy_channels(x, 0, 4, t({2, 3, 3, 3}), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 1, 4, t({2, 3, 3, 8}), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 0, 4, t({2, 3, 3, 8}), 5), Error);
  EXPECT_THROW(backend().copy_channels(x, -1, 2, t({2, 3, 3, 8}), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 0, -1, t({2, 3, 3, 8}), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 0, 4, t({2, 3, 2, 8}), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 0, 4, backend().zeros({2, 3, 3, 8}, DType::i64), 0), Error);
  EXPECT_THROW(backend().copy_channels(x, 0, 1, x, 1), Error);
  EXPECT_THROW(backend().scale_channels(x, t({2, 3}), x), Error);
  EXPECT_THROW(backend().scale_channels(x, t({2, 4}), t({2, 3, 3, 5})), Error);
  EXPECT_THROW(backend().scale_channels(t({2, 4}), t({2, 4}), t({2, 4})), Error);
  EXPECT_THROW(backend().scale_channels_backward(x, {}, t({2, 4}), {}, t({2, 4})), Error);
  EXPECT_THROW(backend().scale_channels_backward(x, x, {}, t({2, 3, 3, 4}), t({2, 4})), Error);
  const Tensor s = t({2, 4});
  EXPECT_THROW(backend().scale_channels_backward(x, t({2, 3, 3, 4}), s, {}, s), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, ChannelsTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
