#include "datasets/npz_images.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "datasets/dataset.h"
#include "engine/base/error.h"
#include "tests/datasets/idx_files.h"
#include "tests/datasets/image_files.h"
#include "tests/io/temporary_folder.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

/// Image `n` as make_images.py fills it.
void expect_pixels(const Dataset& data, std::int64_t n) {
  const Shape shape = data.item_shape();
  std::vector<std::byte> item(data.item_bytes());
  data.read(n, item);
  std::size_t at = 0;
  for (std::int64_t y = 0; y < shape[0]; ++y)
    for (std::int64_t x = 0; x < shape[1]; ++x)
      for (std::int64_t c = 0; c < shape[2]; ++c, ++at)
        ASSERT_EQ(static_cast<std::int64_t>(item[at]), 100 * n + 20 * y + 4 * x + c) << n << ' ' << y << ' ' << x;
}

TEST(NpzImages, ReadsChannelsFirstAndLast) {
  for (const char* name : {"nhwc.npz", "nchw.npz"}) {
    const DatasetPair pair = open_dataset("npz", fixture(name));
    EXPECT_EQ(pair.train->size(), 2);
    EXPECT_EQ(pair.test->size(), 1);
    ASSERT_TRUE(pair.train->item_shape() == Shape({3, 4, 3})) << name;
    EXPECT_EQ(pair.train->label(0), 2);
    EXPECT_EQ(pair.train->label(1), 0);
    EXPECT_EQ(pair.test->class_names(), (std::vector<std::string>{"0", "1", "2"}));
    expect_pixels(*pair.train, 0);
    expect_pixels(*pair.train, 1);
  }
  EXPECT_EQ(open_dataset("npz", fixture("nhwc.npz")).train->content_hash(),
            open_dataset("npz", fixture("nchw.npz")).train->content_hash());
}

TEST(NpzImages, ReadsAFolderOfTwoFiles) {
  const TemporaryFolder folder;
  fs::copy_file(fixture("part.npz"), folder / "train.npz");
  const auto open = [&] { return open_dataset("npz", folder.path()); };
  expect_error(ErrorKind::data, {"val.npz", "--data-dir"}, open);
  fs::copy_file(fixture("part.npz"), folder / "test.npz");
  const DatasetPair pair = open();
  ASSERT_TRUE(pair.train->item_shape() == Shape({3, 4, 1}));
  expect_pixels(*pair.train, 1);
  EXPECT_EQ(pair.test->label(0), 2);
}

TEST(NpzImages, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto open = [&] { open_dataset("npz", folder / "a.npz"); };
  expect_error(ErrorKind::data, {"a.npz"}, open);
  fs::copy_file(fixture("part.npz"), folder / "a.npz");
  expect_error(ErrorKind::data, {"a.npz", "train_images' or 'x_train"}, open);
  const std::string whole = read_bytes(fixture("nhwc.npz"));
  write_bytes(folder / "a.npz", whole.substr(0, whole.size() / 2));
  expect_error(ErrorKind::data, {"a.npz"}, open);
}

}  // namespace
}  // namespace graft::testing
