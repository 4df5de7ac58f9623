#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/image_folder.h"
#include "datasets/loader.h"
#include "datasets/memory_dataset.h"
#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/datasets/idx_files.h"
#include "tests/datasets/image_files.h"
#include "tests/io/temporary_folder.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& folder, const std::string& fixture_name, const std::string& name) {
  fs::create_directories((folder / name).parent_path());
  fs::copy_file(fixture(fixture_name), folder / name, fs::copy_options::overwrite_existing);
}

void put_classes(const fs::path& folder) {
  put(folder, "baseline-420.jpg", "dog/b.jpg");
  put(folder, "rgb.png", "dog/a.PNG");
  put(folder, "progressive-444.jpg", "cat/deep/er/z.jpeg");
  put(folder, "gray.pgm", "cat/deep/y.pgm");
  put(folder, "rgba.png", "cat/x.png");
  put(folder, "rgb.png", "Zebra/only.png");
  write_bytes(folder / "dog" / "notes.txt", "no image");
  write_bytes(folder / "README", "no class");
}

ImageTransform small_transform() { return {.size = 12, .resize = 14, .interpolation = Interpolation::bicubic}; }

TEST(ImageFolder, ListsAsTorchvisionDoes) {
  const TemporaryFolder folder;
  put_classes(folder.path());
  const ImageFiles files = list_image_folder(folder.path());
  EXPECT_EQ(files.class_names, (std::vector<std::string>{"Zebra", "cat", "dog"}));
  EXPECT_EQ(files.files, (std::vector<std::string>{"Zebra/only.png", "cat/x.png", "cat/deep/y.pgm",
                                                   "cat/deep/er/z.jpeg", "dog/a.PNG", "dog/b.jpg"}));
  EXPECT_EQ(files.labels, (std::vector<std::int64_t>{0, 1, 1, 1, 2, 2}));
}

TEST(ImageFolder, ReadsTransformedItems) {
  const TemporaryFolder folder;
  put_classes(folder / "train");
  put_classes(folder / "val");
  const DatasetPair pair = open_dataset("imagefolder", folder.path(), {.transform = small_transform()});
  EXPECT_EQ(pair.mean, ImageTransform{}.mean);
  EXPECT_EQ(pair.test->size(), 6);
  ASSERT_TRUE(pair.train->item_shape() == Shape({12, 12, 3}));
  std::vector<std::byte> item(pair.train->item_bytes());
  std::vector<std::byte> expected(item.size());
  pair.train->read(5, item);
  PixelBuffer scratch;
  Image image;
  read_image(fixture("baseline-420.jpg"), {}, scratch, image);
  ResizeScratch resize;
  resize_and_crop(image.view(), small_transform(), resize, expected);
  EXPECT_TRUE(item == expected);
}

TEST(ImageFolder, HashesNamesLengthsEndsAndTransform) {
  const TemporaryFolder folder;
  put_classes(folder.path());
  const auto hash = [&](const ImageTransform& transform) {
    return open_dataset("imagefolder", folder.path(), {.transform = transform}).train->content_hash();
  };
  const std::string before = hash(small_transform());
  EXPECT_EQ(hash(small_transform()), before);
  ImageTransform other = small_transform();
  other.resize = 15;
  EXPECT_NE(hash(other), before);
  std::string bytes = read_bytes(folder / "dog/b.jpg");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_bytes(folder / "dog/b.jpg", bytes);
  EXPECT_NE(hash(small_transform()), before);
  put(folder.path(), "baseline-420.jpg", "dog/b.jpg");
  EXPECT_EQ(hash(small_transform()), before);
  fs::rename(folder / "dog/b.jpg", folder / "dog/c.jpg");
  EXPECT_NE(hash(small_transform()), before);
}

TEST(ImageFolder, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto open = [&] { open_dataset("imagefolder", folder.path()); };
  expect_error(ErrorKind::data, {folder.path(), "class folders"}, open);
  fs::create_directories(folder / "empty");
  expect_error(ErrorKind::data, {"empty", "no images"}, open);
  fs::remove(folder / "empty");
  put_classes(folder / "train");
  expect_error(ErrorKind::data, {"no val"}, open);
  put_classes(folder / "val");
  put(folder / "val", "rgb.png", "extra/a.png");
  expect_error(ErrorKind::data, {"val", "train"}, open);
  expect_error(ErrorKind::data, {"imagefolder", "--data-dir"}, [] { open_dataset("imagefolder", ""); });
  fs::create_directory_symlink(folder / "train", folder / "train" / "dog" / "loop");
  expect_error(ErrorKind::data, {"deep"}, open);
}

LoaderOptions crops(int threads) {
  return {.batch_size = 4,
          .shuffle = true,
          .seed = 3,
          .role = "train",
          .augment = {.flip = true, .resized_crop = RandomResizedCrop{}},
          .threads = threads,
          .mean = {0, 0, 0},
          .deviation = {1, 1, 1}};
}

std::vector<double> epoch_of(Loader& loader, std::int64_t epoch) {
  std::vector<double> values;
  loader.start_epoch(epoch);
  while (const auto batch = loader.next()) {
    for (const Tensor& tensor : {batch->items, batch->labels}) {
      const auto host = to_host(tensor);
      values.insert(values.end(), host.begin(), host.end());
    }
  }
  return values;
}

TEST(ImageFolder, GivesTheSameBitsForAnyNumberOfThreads) {
  const TemporaryFolder folder;
  put_classes(folder.path());
  const auto backend = make_reference_backend({});
  const DatasetPtr data = open_dataset("imagefolder", folder.path(), {.transform = small_transform()}).train;
  for (const bool random : {true, false}) {
    std::vector<std::vector<double>> expected;
    for (const int threads : {0, 1, 2, 5}) {
      LoaderOptions options = crops(threads);
      if (!random) options.augment = {};
      Loader loader(data, *backend, options);
      for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<double> got = epoch_of(loader, static_cast<std::int64_t>(epoch));
        if (threads == 0) {
          expected.push_back(std::move(got));
        } else {
          EXPECT_TRUE(got == expected[epoch]) << threads << " threads, epoch " << epoch;
        }
      }
    }
    EXPECT_FALSE(expected[0] == expected[1]);
  }
}

TEST(ImageFolder, PassesOnADamagedFile) {
  const TemporaryFolder folder;
  put_classes(folder.path());
  const std::string whole = read_bytes(fixture("baseline-420.jpg"));
  write_bytes(folder / "dog/b.jpg", whole.substr(0, whole.size() / 2));
  const auto backend = make_reference_backend({});
  const DatasetPtr data = open_dataset("imagefolder", folder.path(), {.transform = small_transform()}).train;
  for (const int threads : {0, 2}) {
    expect_error(ErrorKind::data, {"dog/b.jpg", "truncated"}, [&] {
      Loader loader(data, *backend, crops(threads));
      epoch_of(loader, 0);
    });
  }
}

TEST(RandomCrop, WorksOnImagesInMemoryAndSubsets) {
  std::vector<std::uint8_t> pixels(3 * 8 * 8);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7);
  const auto data = std::make_shared<MemoryDataset>(pixels, Shape{8, 8, 1}, std::vector<std::uint8_t>{0, 1, 0},
                                                    std::vector<std::string>{"a", "b"});
  CropDraw draw{.random = {.seed = 2, .stream = 3}, .item = 1};
  std::vector<std::byte> crop(64);
  std::vector<std::byte> of_subset(64);
  data->read_crop(2, draw, crop);
  make_subset(data, {2}, {0})->read_crop(0, draw, of_subset);
  EXPECT_TRUE(crop == of_subset);
  draw.epoch = 1;
  data->read_crop(2, draw, of_subset);
  EXPECT_FALSE(crop == of_subset);
  draw.options = {.min_area = 1, .max_area = 1, .min_ratio = 1, .max_ratio = 1};
  data->read_crop(2, draw, crop);
  data->read(2, of_subset);
  EXPECT_TRUE(crop == of_subset);
}

std::string cifar_record(const std::string& labels, int value) {
  std::string record = labels;
  for (int plane = 0; plane < 3; ++plane) {
    for (int i = 0; i < 1024; ++i) record += static_cast<char>(value + plane * 50 + i % 32);
  }
  return record;
}

TEST(Cifar, ReadsPlanesAndLabels) {
  const TemporaryFolder folder;
  const fs::path below = folder / "cifar-10-batches-bin";
  fs::create_directories(below);
  for (int i = 1; i <= 5; ++i) {
    write_bytes(below / ("data_batch_" + std::to_string(i) + ".bin"),
                cifar_record(std::string(1, static_cast<char>(i)), i));
  }
  write_bytes(below / "test_batch.bin", cifar_record("\x09", 1) + cifar_record("\x03", 2));
  write_bytes(below / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  for (const fs::path& given : {folder.path(), below}) {
    const DatasetPair pair = open_dataset("cifar10", given);
    EXPECT_EQ(pair.train->size(), 5);
    EXPECT_EQ(pair.test->label(1), 3);
    EXPECT_EQ(pair.train->class_names()[9], "j");
    std::vector<std::byte> item(pair.train->item_bytes());
    pair.train->read(2, item);
    EXPECT_EQ(static_cast<int>(item[0]), 3);
    EXPECT_EQ(static_cast<int>(item[1]), 53);
    EXPECT_EQ(static_cast<int>(item[2]), 103);
    EXPECT_EQ(static_cast<int>(item[(5 * 32 + 7) * 3 + 2]), 110);
  }
  const ImageTransform transform = small_transform();
  const DatasetPair resized = open_dataset("cifar10", folder.path(), {.transform = transform});
  EXPECT_TRUE(resized.train->item_shape() == Shape({12, 12, 3}));
  EXPECT_NE(resized.train->content_hash(), open_dataset("cifar10", folder.path()).train->content_hash());
  write_bytes(below / "test_batch.bin", cifar_record("\x0a", 1));
  expect_error(ErrorKind::data, {"test_batch.bin", "label 10"}, [&] { open_dataset("cifar10", below); });
  write_bytes(below / "test_batch.bin", "short");
  expect_error(ErrorKind::data, {"test_batch.bin", "records"}, [&] { open_dataset("cifar10", below); });
  fs::remove(below / "test_batch.bin");
  expect_error(ErrorKind::data, {"test_batch.bin", "--data-dir"}, [&] { open_dataset("cifar10", below); });
}

TEST(Cifar, ReadsFineAndCoarseLabels) {
  const TemporaryFolder folder;
  std::string fine;
  std::string coarse;
  for (int i = 0; i < 100; ++i) fine += "fine" + std::to_string(i) + "\n";
  for (int i = 0; i < 20; ++i) coarse += "coarse" + std::to_string(i) + "\n";
  write_bytes(folder / "fine_label_names.txt", fine);
  write_bytes(folder / "coarse_label_names.txt", coarse);
  for (const char* name : {"train.bin", "test.bin"}) write_bytes(folder / name, cifar_record("\x13\x63", 9));
  const DatasetPair by_fine = open_dataset("cifar100", folder.path());
  EXPECT_EQ(by_fine.train->label(0), 99);
  EXPECT_EQ(by_fine.train->class_names().back(), "fine99");
  const DatasetPair by_coarse = open_dataset("cifar100-coarse", folder.path());
  EXPECT_EQ(by_coarse.test->label(0), 19);
  EXPECT_EQ(by_coarse.test->class_names().back(), "coarse19");
  std::vector<std::byte> item(by_fine.train->item_bytes());
  by_fine.train->read(0, item);
  EXPECT_EQ(static_cast<int>(item[3]), 10);
}

}  // namespace
}  // namespace graft::testing
