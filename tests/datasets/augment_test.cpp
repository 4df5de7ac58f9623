#include "datasets/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <span>
#include <vector>

namespace graft::testing {
namespace {

std::vector<std::uint8_t> augmented(const std::vector<std::uint8_t>& image, const Shape& shape,
                                    const Augmentation& augmentation) {
  std::vector<std::uint8_t> result(image.size(), 99);
  augment_image(std::as_bytes(std::span(image)), shape, augmentation, std::as_writable_bytes(std::span(result)));
  return result;
}

TEST(Augment, CropsAndMirrors) {
  const std::vector<std::uint8_t> image = {1, 2, 3,  //
                                           4, 5, 6};
  const Shape shape{2, 3, 1};
  using Pixels = std::vector<std::uint8_t>;
  EXPECT_EQ(augmented(image, shape, {}), image);
  EXPECT_EQ(augmented(image, shape, {.flip = true}), (Pixels{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(augmented(image, shape, {.top = 1, .left = 1}), (Pixels{5, 6, 0, 0, 0, 0}));
  EXPECT_EQ(augmented(image, shape, {.top = -1, .left = -2}), (Pixels{0, 0, 0, 0, 0, 1}));
  EXPECT_EQ(augmented(image, shape, {.top = 0, .left = 1, .flip = true}), (Pixels{0, 3, 2, 0, 6, 5}));
  EXPECT_EQ(augmented(image, shape, {.top = 5, .left = 0}), Pixels(6, 0));
  EXPECT_EQ(augmented(image, shape, {.top = 0, .left = -7}), Pixels(6, 0));
  EXPECT_EQ(augmented(image, shape, {.top = 0, .left = 7}), Pixels(6, 0));
}

TEST(Augment, KeepsChannelsTogether) {
  const std::vector<std::uint8_t> image = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(augmented(image, {1, 3, 2}, {.flip = true}), (std::vector<std::uint8_t>{5, 6, 3, 4, 1, 2}));
  EXPECT_EQ(augmented(image, {1, 3, 2}, {.left = -1}), (std::vector<std::uint8_t>{0, 0, 1, 2, 3, 4}));
}

TEST(Augment, DrawsEveryCropAndFlipEquallyOften) {
  const RandomStream random{.seed = 1, .stream = 2};
  const AugmentOptions options{.crop_padding = 1, .flip = true};
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::int64_t item = 0; item < 18'000; ++item) {
    const Augmentation drawn = draw_augmentation(options, random, item % 3, item);
    ++counts[{drawn.top, drawn.left, drawn.flip}];
  }
  // 3 x 3 x 2 outcomes of mean 1000, binomial deviation 31; 6 deviations.
  EXPECT_EQ(counts.size(), 18u);
  for (const auto& [outcome, count] : counts) EXPECT_NEAR(count, 1000, 186);
}

TEST(Augment, MirrorsAsOftenAsAsked) {
  const RandomStream random{.seed = 1, .stream = 2};
  for (const double probability : {0.0, 0.1, 0.5, 0.9, 1.0}) {
    const AugmentOptions options{.flip = true, .flip_probability = probability};
    int mirrored = 0;
    for (std::int64_t item = 0; item < 10'000; ++item) {
      mirrored += draw_augmentation(options, random, 0, item).flip ? 1 : 0;
    }
    // Six standard deviations of a binomial count.
    EXPECT_NEAR(mirrored, 10'000 * probability, 600 * std::sqrt(probability * (1 - probability)));
  }
}

TEST(Augment, DoesWhatIsAskedAlone) {
  const RandomStream random{.seed = 1, .stream = 2};
  for (std::int64_t item = 0; item < 100; ++item) {
    const Augmentation flip = draw_augmentation({.flip = true}, random, 0, item);
    EXPECT_EQ(flip.top, 0);
    EXPECT_EQ(flip.left, 0);
    EXPECT_FALSE(draw_augmentation({.crop_padding = 4}, random, 0, item).flip);
  }
}

}  // namespace
}  // namespace graft::testing
