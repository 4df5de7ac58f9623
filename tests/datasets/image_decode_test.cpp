#include "datasets/image_decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "datasets/image_transform.h"
#include "engine/base/error.h"
#include "engine/io/sha256.h"
#include "tests/datasets/idx_files.h"
#include "tests/datasets/image_files.h"
#include "tests/io/temporary_folder.h"

namespace graft::testing {
namespace {

std::string hash_of(std::span<const std::byte> bytes) { return Sha256().update(bytes).hex(); }

Image read_fixture(const std::string& name) {
  PixelBuffer scratch;
  Image image;
  read_image(fixture(name), {}, scratch, image);
  return image;
}

std::span<const std::byte> pixels_of(const Image& image) {
  return {reinterpret_cast<const std::byte*>(image.data()), image.bytes()};
}

/// The lines of expectations.txt with so many words.
std::vector<std::vector<std::string>> expectations(std::size_t words) {
  std::ifstream file(fixture("expectations.txt"));
  std::vector<std::vector<std::string>> found;
  for (std::string line; std::getline(file, line);) {
    std::istringstream text(line);
    std::vector<std::string> row;
    for (std::string word; text >> word;) row.push_back(word);
    if (row.size() == words) found.push_back(row);
  }
  return found;
}

TEST(ImageDecode, GivesPillowsPixels) {
  const auto rows = expectations(4);
  ASSERT_EQ(rows.size(), 18u);
  for (const auto& row : rows) {
    const Image image = read_fixture(row[0]);
    EXPECT_EQ(image.height(), std::stoll(row[1])) << row[0];
    EXPECT_EQ(image.width(), std::stoll(row[2])) << row[0];
    EXPECT_EQ(hash_of(pixels_of(image)), row[3]) << row[0];
  }
}

TEST(ImageTransform, GivesTorchvisionsPixels) {
  const auto rows = expectations(5);
  ASSERT_EQ(rows.size(), 72u);
  ResizeScratch scratch;
  for (const auto& row : rows) {
    const Image image = read_fixture(row[0]);
    ImageTransform transform;
    transform.interpolation = interpolation_of(row[1]);
    transform.resize = std::stoll(row[2]);
    transform.size = std::stoll(row[3]);
    std::vector<std::byte> out(static_cast<std::size_t>(transform.item_shape().numel()), std::byte{7});
    resize_and_crop(image.view(), transform, scratch, out);
    EXPECT_EQ(hash_of(out), row[4]) << row[0] << ' ' << row[1] << ' ' << row[2] << ' ' << row[3];
  }
}

TEST(ImageDecode, IgnoresTheOrientation) {
  const Image turned = read_fixture("orientation-6.jpg");
  EXPECT_EQ(turned.height(), 37);
  EXPECT_EQ(turned.width(), 50);
}

TEST(ImageDecode, RefusesEveryCutFile) {
  for (const char* name : {"baseline-420.jpg", "progressive-444.jpg", "baseline-gray.jpg", "rgb.png", "palette.png",
                           "gray16.png", "rgb.bmp", "rgb.ppm", "gray.pgm"}) {
    const std::string whole = read_bytes(fixture(name));
    Image image;
    decode(whole, image);
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      expect_error(ErrorKind::data, {"some/file: "}, [&] { decode(whole.substr(0, size), image); });
    }
  }
}

TEST(ImageDecode, RefusesHeadersThatClaimTooMuch) {
  Image image;
  const std::string jpeg = read_bytes(fixture("baseline-420.jpg"));
  const std::size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  std::string vast = jpeg;
  vast.replace(frame + 5, 4, "\xff\xff\xff\xff");
  expect_error(ErrorKind::data, {"some/file", "65500"}, [&] { decode(vast, image); });  // libjpeg's own limit
  vast.replace(frame + 5, 4, "\xfd\xe8\xfd\xe8");
  expect_error(ErrorKind::data, {"some/file", "65000x65000", "--max-pixels"}, [&] { decode(vast, image); });
  expect_error(ErrorKind::data, {"some/file", "65000x65000", "hold"},
               [&] { decode(vast, image, {.max_pixels = std::int64_t{1} << 40}); });
  expect_error(ErrorKind::data, {"some/file", "65535x65535"}, [&] { decode(png_bytes(65535, 65535, "some"), image); });
  expect_error(ErrorKind::data, {"some/file", "4294967295"},
               [&] { decode(png_bytes(0xffffffffu, 0xffffffffu, "some"), image); });
  expect_error(ErrorKind::data, {"some/file", "hold"}, [&] { decode(png_bytes(10000, 10000, "some"), image); });
  expect_error(ErrorKind::data, {"some/file", "65535x65535"}, [&] { decode("P6 65535 65535 255\n", image); });
  expect_error(ErrorKind::data, {"some/file", "truncated"}, [&] { decode("P6 9000 9000 255\n", image); });
  std::string bitmap = read_bytes(fixture("rgb.bmp"));
  bitmap.replace(18, 8, std::string("\xff\xff\0\0\xff\xff\0\0", 8));
  expect_error(ErrorKind::data, {"some/file", "65535x65535"}, [&] { decode(bitmap, image); });
  EXPECT_LT(image.bytes(), std::size_t{1} << 20) << "memory was taken";
  expect_error(ErrorKind::data, {"--max-pixels"}, [&] { decode(jpeg, image, {.max_pixels = 37 * 50 - 1}); });
  EXPECT_NO_THROW(decode(jpeg, image, {.max_pixels = 37 * 50}));
}

TEST(ImageDecode, RefusesImagesWithoutPixels) {
  Image image;
  std::string jpeg = read_bytes(fixture("baseline-420.jpg"));
  const std::size_t frame = jpeg.find("\xff\xc0");
  jpeg.replace(frame + 7, 2, std::string(2, '\0'));
  expect_error(ErrorKind::data, {"some/file"}, [&] { decode(jpeg, image); });
  expect_error(ErrorKind::data, {"some/file", "0x5"}, [&] { decode(png_bytes(0, 5, "some"), image); });
  expect_error(ErrorKind::data, {"some/file", "0x5"}, [&] { decode("P5 0 5 255\n", image); });
}

TEST(ImageDecode, StopsWhereCompressedDataHoldMoreThanTheHeaderSays) {
  Image image;
  const std::string bomb = png_bytes(4, 4, std::string(std::size_t{16} << 20, '\0'));
  ASSERT_LT(bomb.size(), 100000u);
  expect_error(ErrorKind::data, {"some/file"}, [&] { decode(bomb, image); });
  EXPECT_NO_THROW(decode(png_bytes(4, 4, std::string(20, '\0')), image));
}

TEST(ImageDecode, RefusesWhatChecksumsAndHeadersTell) {
  Image image;
  std::string damaged = read_bytes(fixture("rgb.png"));
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  expect_error(ErrorKind::data, {"some/file", "damaged"}, [&] { decode(damaged, image); });
  expect_error(ErrorKind::data, {"some/file", "empty"}, [&] { decode("", image); });
  expect_error(ErrorKind::data, {"some/file", "JPEG, PNG"}, [&] { decode("GIF89a and so on", image); });
  expect_error(ErrorKind::data, {"some/file", "65535"}, [&] { decode("P5 1 1 65535\nab", image); });
  expect_error(ErrorKind::data, {"nowhere.png"}, [&] {
    PixelBuffer scratch;
    read_image("/nowhere.png", {}, scratch, image);
  });
}

}  // namespace
}  // namespace graft::testing
