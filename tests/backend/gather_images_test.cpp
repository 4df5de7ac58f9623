#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

class GatherImagesTest : public KernelTest {
 protected:
  /// f32 statistics on both sides: they are f32 on every backend.
  Pair statistics(std::int64_t channels, double mean, double deviation) {
    const Pair values = normal({channels}, DType::f32, mean, deviation);
    const Pair result{values.tested, oracle().empty({channels}, DType::f32)};
    set_values(result.exact, values_of(values.tested));
    return result;
  }
};

}  // namespace

TEST_P(GatherImagesTest, AgreesWithTheReference) {
  struct Case {
    std::string name;
    Shape images;
    std::vector<double> picks;  ///< {image, top, left, flip} a row
  };
  const std::vector<Case> cases = {
      {"as they are", {3, 5, 7, 3}, {0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}},
      {"mirrored", {2, 4, 5, 3}, {0, 0, 0, 1, 1, 0, 0, 1}},
      {"cropped", {2, 6, 6, 1}, {0, 2, -1, 0, 1, -3, 2, 0, 1, 1, 1, 1, 0, -2, -2, 1}},
      {"cropped away", {1, 3, 4, 2}, {0, 3, 0, 0, 0, 0, -4, 1, 0, -9, 9, 0}},
      {"no image", {2, 3, 3, 4}, {-1, 0, 0, 0, 1, 0, 0, 0, -1, 1, 1, 1}},
      {"one pixel", {1, 1, 1, 1}, {0, 0, 0, 0}},
      {"a whole batch", {9, 28, 28, 1}, {8, 0, 0, 0, 3, 1, 0, 1, 5, 0, 2, 0, 0, 0, 0, 1, 7, -2, 1, 0, 3, 0, 0, 0}},
      {"no picks", {2, 4, 4, 3}, {}},
      {"no images", {0, 4, 4, 3}, {-1, 0, 0, 0}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::vector<double> bytes(static_cast<std::size_t>(c.images.numel()));
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<double>((i * 37 + 11) % 256);
    const auto count = static_cast<std::int64_t>(c.picks.size()) / 4;
    const Pair images = of(bytes, c.images, DType::u8);
    const Pair picks = of(c.picks, {count, 4}, DType::i32);
    const Pair mean = statistics(c.images[3], 0.5, 0.1);
    const Pair deviation = statistics(c.images[3], 0.3, 0.02);
    const Pair y = output({count, c.images[1], c.images[2], c.images[3]}, dtype());
    backend().gather_images(images.tested, picks.tested, mean.tested, deviation.tested, y.tested);
    oracle().gather_images(images.exact, picks.exact, mean.exact, deviation.exact, y.exact);
    const double magnitude = (1.0 + largest(values_of(mean.exact))) / 0.2;
    expect_close("y", y, 6.0 * kF32Roundoff * magnitude);
  }
}

// Three images of one row: 10 20 30, 40 50 60, 70 80 90; with mean 0 and deviation 1 / 255 pixels come out as they are.
TEST_P(GatherImagesTest, ByHand) {
  const Pair images = of({10, 20, 30, 40, 50, 60, 70, 80, 90}, {3, 1, 3, 1}, DType::u8);
  const Pair picks = of({2, 0, 0, 0, 1, 0, 1, 0, 0, 0, -1, 1, 1, 1, 0, 0}, {4, 4}, DType::i32);
  const Pair mean = of({0.0}, {1}, DType::f32);
  const Pair deviation = of({1.0 / 255.0}, {1}, DType::f32);
  const Pair y = output({4, 1, 3, 1}, dtype());
  backend().gather_images(images.tested, picks.tested, mean.tested, deviation.tested, y.tested);
  const std::vector<double> expected = {70, 80, 90, 50, 60, 0, 20, 10, 0, 0, 0, 0};
  const std::vector<double> got = values_of(y.tested);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(got[i], expected[i], 0.4) << i;
}

TEST_P(GatherImagesTest, RefusesWhatDoesNotFit) {
  const Tensor images = of({1, 2, 3, 4}, {1, 2, 2, 1}, DType::u8).tested;
  const Tensor picks = of({0, 0, 0, 0}, {1, 4}, DType::i32).tested;
  const Tensor one = of({1.0}, {1}, DType::f32).tested;
  const Tensor two = of({1.0, 1.0}, {2}, DType::f32).tested;
  const Tensor y = output({1, 2, 2, 1}, dtype()).tested;
  const Tensor tall = output({2, 2, 2, 1}, dtype()).tested;
  EXPECT_THROW(backend().gather_images(images, picks, two, one, y), Error);
  EXPECT_THROW(backend().gather_images(images, picks, one, one, tall), Error);
  EXPECT_THROW(backend().gather_images(images, one, one, one, y), Error);
  EXPECT_THROW(backend().gather_images(y, picks, one, one, y), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, GatherImagesTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
