#include "datasets/fashion_mnist.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "engine/io/sha256.h"
#include "tests/datasets/idx_files.h"
#include "tests/io/temporary_folder.h"

namespace graft::testing {
namespace {

/// Four small files of the right kind: 3 training and 2 test images of 2x2.
void write_small_set(const TemporaryFolder& folder) {
  write_bytes(folder / "train-images-idx3-ubyte", idx_bytes(0x803, {3, 2, 2}, "abcdefghijkl"));
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes(0x801, {3}, std::string("\x09\x00\x03", 3)));
  write_gzip(folder / "t10k-images-idx3-ubyte.gz", idx_bytes(0x803, {2, 2, 2}, "mnopqrst"));
  write_gzip(folder / "t10k-labels-idx1-ubyte.gz", idx_bytes(0x801, {2}, std::string("\x01\x02", 2)));
}

TEST(FashionMnist, ReadsAFolder) {
  const TemporaryFolder folder;
  write_small_set(folder);
  const DatasetPair data = open_dataset("fashion-mnist", folder.path());
  EXPECT_EQ(data.train->size(), 3);
  EXPECT_EQ(data.test->size(), 2);
  EXPECT_EQ(data.train->item_shape(), Shape({2, 2, 1}));
  EXPECT_EQ(data.train->item_dtype(), DType::u8);
  EXPECT_EQ(data.train->label(0), 9);
  EXPECT_EQ(data.train->class_names().at(9), "Ankle boot");
  std::string pixels(4, '\0');
  data.train->read(2, std::as_writable_bytes(std::span(pixels)));
  EXPECT_EQ(pixels, "ijkl");
  EXPECT_EQ(data.mean, std::vector<float>{0.286f});
  EXPECT_EQ(data.deviation, std::vector<float>{0.353f});
}

TEST(FashionMnist, TellsContentsApart) {
  const TemporaryFolder folder;
  write_small_set(folder);
  const std::string before = open_dataset("fashion-mnist", folder.path()).train->content_hash();
  EXPECT_EQ(before.size(), 64u);
  EXPECT_EQ(open_dataset("fashion-mnist", folder.path()).train->content_hash(), before);
  write_bytes(folder / "train-images-idx3-ubyte", idx_bytes(0x803, {3, 2, 2}, "abcdefghijkm"));
  EXPECT_NE(open_dataset("fashion-mnist", folder.path()).train->content_hash(), before);
  write_small_set(folder);
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes(0x801, {3}, std::string("\x09\x00\x04", 3)));
  EXPECT_NE(open_dataset("fashion-mnist", folder.path()).train->content_hash(), before);
}

TEST(FashionMnist, NamesWhatIsWrongAndTheRemedy) {
  const TemporaryFolder folder;
  const auto open = [&] { open_dataset("fashion-mnist", folder.path()); };
  const std::string remedy = "apt-get install dataset-fashion-mnist, or name the folder";
  expect_error(ErrorKind::data, {folder.path().string(), "train-images-idx3-ubyte", remedy}, open);
  write_small_set(folder);
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes(0x801, {3}, std::string("\x09\x0a\x03", 3)));
  expect_error(ErrorKind::data, {"train-labels-idx1-ubyte: label 10 of item 1 is out of range", "0 to 9", remedy},
               open);
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes(0x801, {2}, "\x01\x01"));
  expect_error(ErrorKind::data, {"train-labels-idx1-ubyte: has 2 labels", "3 images", remedy}, open);
  write_bytes(folder / "train-labels-idx1-ubyte", idx_bytes(0x803, {3}, "\x01\x01\x01"));
  expect_error(ErrorKind::data, {"train-labels-idx1-ubyte", "0x00000803", remedy}, open);
  write_small_set(folder);
  write_gzip(folder / "t10k-images-idx3-ubyte.gz", idx_bytes(0x803, {2, 2, 1}, "mnop"));
  expect_error(ErrorKind::data, {"[2, 2, 1]", "[2, 1, 1]", remedy}, open);
}

TEST(DatasetRegistry, NamesTheNearest) {
  expect_error(ErrorKind::usage, {"'fashion_mnits'", "'fashion-mnist'"}, [] { open_dataset("fashion_mnits", ""); });
  ASSERT_FALSE(dataset_entries().empty());
  EXPECT_EQ(dataset_entries()[0].name, "fashion-mnist");
}

TEST(FashionMnist, IsWhereDebianPutsIt) {
  if (!std::filesystem::exists(fashion_mnist_package_folder()))
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  const DatasetPair data = open_dataset("fashion-mnist", "");
  ASSERT_EQ(data.train->size(), 60'000);
  ASSERT_EQ(data.test->size(), 10'000);
  ASSERT_EQ(data.train->item_shape(), Shape({28, 28, 1}));
  std::vector<std::int64_t> counts(10);
  double sum = 0.0;
  double squares = 0.0;
  std::vector<std::uint8_t> pixels(28 * 28);
  for (std::int64_t i = 0; i < data.train->size(); ++i) {
    ++counts[static_cast<std::size_t>(data.train->label(i))];
    data.train->read(i, std::as_writable_bytes(std::span(pixels)));
    for (const std::uint8_t pixel : pixels) {
      sum += pixel / 255.0;
      squares += pixel / 255.0 * pixel / 255.0;
    }
  }
  EXPECT_EQ(counts, std::vector<std::int64_t>(10, 6000));
  // The published normalisation is that of these pixels, rounded to three digits.
  const double pixel_count = 60'000.0 * 28 * 28;
  const double mean = sum / pixel_count;
  EXPECT_NEAR(mean, data.mean[0], 0.0005);
  EXPECT_NEAR(std::sqrt(squares / pixel_count - mean * mean), data.deviation[0], 0.0005);
}

}  // namespace
}  // namespace graft::testing
