#include "datasets/image_resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "datasets/image_transform.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace graft::testing {
namespace {

struct Pixels {
  std::int64_t height;
  std::int64_t width;
  std::int64_t channels;
  std::vector<std::uint8_t> values;
  ImageView view() const {
    return {.pixels = values.data(),
            .height = height,
            .width = width,
            .channels = channels,
            .row_bytes = static_cast<std::size_t>(width * channels)};
  }
};

Pixels noise(std::int64_t height, std::int64_t width, std::int64_t channels) {
  const RandomStream random{.seed = 5, .stream = stream_of("pixels")};
  Pixels pixels{height, width, channels, {}};
  for (std::int64_t i = 0; i < height * width * channels; ++i)
    pixels.values.push_back(static_cast<std::uint8_t>(random.word(0, static_cast<std::uint64_t>(i)) & 255u));
  return pixels;
}

/// One pass over the columns in plain integers, straight from the definition.
Pixels columns_resized(const Pixels& from, std::int64_t width, Interpolation interpolation) {
  ResizeAxis axis;
  make_resize_axis(from.width, width, 0, width, interpolation, axis);
  Pixels to{from.height, width, from.channels, {}};
  for (std::int64_t y = 0; y < to.height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < to.channels; ++c) {
        std::int64_t sum = std::int64_t{1} << (kResizeBits - 1);
        for (std::int64_t k = 0; k < axis.taps[static_cast<std::size_t>(x)]; ++k) {
          const std::int64_t column = axis.first[static_cast<std::size_t>(x)] + k;
          sum += std::int64_t{axis.of(x)[k]} *
                 from.values[static_cast<std::size_t>((y * from.width + column) * from.channels + c)];
        }
        to.values.push_back(static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> kResizeBits, 0, 255)));
      }
    }
  }
  return to;
}

Pixels turned(const Pixels& from) {
  Pixels to{from.width, from.height, from.channels, {}};
  for (std::int64_t y = 0; y < to.height; ++y)
    for (std::int64_t x = 0; x < to.width; ++x)
      for (std::int64_t c = 0; c < to.channels; ++c)
        to.values.push_back(from.values[static_cast<std::size_t>((x * from.width + y) * from.channels + c)]);
  return to;
}

std::vector<std::uint8_t> resized(const Pixels& from, const ResizeWindow& window, Interpolation interpolation) {
  ResizeScratch scratch;
  const auto stride = static_cast<std::size_t>(window.width * from.channels);
  std::vector<std::uint8_t> out(stride * static_cast<std::size_t>(window.height));
  resize_image(from.view(), window, interpolation, scratch, out.data(), stride);
  return out;
}

TEST(ImageResize, VectorsGiveTheSameBitsAsPlainIntegers) {
  for (const Interpolation interpolation : {Interpolation::box, Interpolation::bilinear, Interpolation::hamming,
                                            Interpolation::bicubic, Interpolation::lanczos}) {
    for (const std::int64_t channels : {1, 3}) {
      for (const auto& [h, w, to_h, to_w] : std::vector<std::array<std::int64_t, 4>>{
               {1, 1, 3, 5}, {7, 2, 5, 1}, {40, 33, 17, 33}, {40, 33, 40, 9}, {13, 90, 31, 20}, {64, 5, 9, 70}}) {
        const Pixels image = noise(h, w, channels);
        Pixels expected = to_w == w ? image : columns_resized(image, to_w, interpolation);
        if (to_h != h) expected = turned(columns_resized(turned(expected), to_h, interpolation));
        const ResizeWindow whole{.full_height = to_h, .full_width = to_w, .height = to_h, .width = to_w};
        const std::vector<std::uint8_t> got = resized(image, whole, interpolation);
        EXPECT_EQ(got, expected.values) << name_of(interpolation) << ' ' << h << 'x' << w << " to " << to_h << 'x'
                                        << to_w;
        // A window is a part of the whole.
        if (to_h < 4 || to_w < 4) continue;
        const ResizeWindow part{
            .full_height = to_h, .full_width = to_w, .top = 2, .left = 1, .height = to_h - 3, .width = to_w - 2};
        const std::vector<std::uint8_t> cut = resized(image, part, interpolation);
        for (std::int64_t y = 0; y < part.height; ++y) {
          for (std::int64_t i = 0; i < part.width * channels; ++i) {
            ASSERT_EQ(cut[static_cast<std::size_t>(y * part.width * channels + i)],
                      got[static_cast<std::size_t>(((y + 2) * to_w + 1) * channels + i)]);
          }
        }
      }
    }
  }
}

TEST(ImageResize, CoefficientsAddUpToOne) {
  for (const Interpolation interpolation : {Interpolation::box, Interpolation::bilinear, Interpolation::bicubic}) {
    ResizeAxis axis;
    make_resize_axis(500, 341, 0, 341, interpolation, axis);
    for (std::int64_t x = 0; x < axis.count; ++x) {
      std::int64_t sum = 0;
      for (std::size_t k = 0; k < axis.stride; ++k) sum += axis.of(x)[k];
      EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(1 << kResizeBits),
                  0.5 * static_cast<double>(axis.stride));
    }
  }
}

TEST(ImageResize, RefusesAWindowOutside) {
  const Pixels image = noise(4, 4, 3);
  EXPECT_THROW(
      resized(image, {.full_height = 4, .full_width = 4, .top = 1, .height = 4, .width = 4}, Interpolation::bilinear),
      Error);
}

TEST(ImageTransform, TakesSizesAsTimmDoes) {
  EXPECT_EQ(resize_for(224, 0.875), 256);
  EXPECT_EQ(resize_for(224, 0.95), 235);
  EXPECT_EQ(resize_for(240, 0.882), 272);
  EXPECT_EQ(resize_for(224, 1.0), 224);
  EXPECT_THROW(resize_for(224, 0.0), Error);
  EXPECT_THROW(interpolation_of("cubic"), Error);
}

CropDraw draw_of(std::int64_t item, const RandomResizedCrop& options = {}) {
  return {.options = options, .random = {.seed = 1, .stream = stream_of("test")}, .epoch = 3, .item = item};
}

TEST(RandomCrop, LiesInsideAndHasTheShareAndRatioAskedFor) {
  double area = 0.0;
  double log_ratio = 0.0;
  constexpr int kDraws = 4000;
  for (std::int64_t item = 0; item < kDraws; ++item) {
    const CropBox box = draw_crop(draw_of(item), 400, 400);
    ASSERT_TRUE(box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0);
    ASSERT_TRUE(box.top + box.height <= 400 && box.left + box.width <= 400);
    const double share = static_cast<double>(box.height * box.width) / (400.0 * 400.0);
    const double ratio = static_cast<double>(box.width) / static_cast<double>(box.height);
    ASSERT_GT(share, 0.08 - 0.01);
    ASSERT_GT(ratio, 0.75 * 0.97);
    ASSERT_LT(ratio, 1.34 * 1.03);
    area += share;
    log_ratio += std::log(ratio);
  }
  // Shares near 1 fit only square crops, so the mean lies below (0.08 + 1) / 2.
  EXPECT_NEAR(area / kDraws, 0.5, 0.03);
  EXPECT_NEAR(log_ratio / kDraws, 0.0, 0.01);
  EXPECT_EQ(draw_crop(draw_of(5), 400, 300), draw_crop(draw_of(5), 400, 300));
  EXPECT_FALSE(draw_crop(draw_of(5), 400, 300) == draw_crop(draw_of(6), 400, 300));
}

TEST(RandomCrop, DrawsHowItIsResized) {
  EXPECT_EQ(draw_interpolation(draw_of(1), Interpolation::lanczos), Interpolation::lanczos);
  RandomResizedCrop either;
  either.interpolations = {Interpolation::bilinear, Interpolation::bicubic};
  int bicubic = 0;
  for (std::int64_t item = 0; item < 4000; ++item) {
    const Interpolation drawn = draw_interpolation(draw_of(item, either), Interpolation::lanczos);
    EXPECT_EQ(drawn, draw_interpolation(draw_of(item, either), Interpolation::box));
    bicubic += drawn == Interpolation::bicubic ? 1 : 0;
    EXPECT_EQ(draw_crop(draw_of(item, either), 400, 300), draw_crop(draw_of(item), 400, 300));
  }
  // Six standard deviations of a binomial count.
  EXPECT_NEAR(bicubic, 2000, 190);
}

TEST(RandomCrop, FallsBackToTheCentre) {
  // No crop of this share has an allowed ratio in so long an image.
  const RandomResizedCrop whole{.min_area = 1.0, .max_area = 1.0};
  EXPECT_EQ(draw_crop(draw_of(0, whole), 30, 300), (CropBox{.top = 0, .left = 130, .height = 30, .width = 40}));
  EXPECT_EQ(draw_crop(draw_of(0, whole), 300, 30), (CropBox{.top = 130, .left = 0, .height = 40, .width = 30}));
}

}  // namespace
}  // namespace graft::testing
