#include "datasets/label_file.h"

#include <gtest/gtest.h>

#include <array>

#include "datasets/dataset.h"
#include "datasets/image_folder.h"
#include "datasets/loader.h"
#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"
#include "tests/datasets/idx_files.h"
#include "tests/datasets/image_files.h"
#include "tests/io/temporary_folder.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

/// Images a.png ... e.png under train/ and val/, and a file of labels.
class LabelFile : public ::testing::Test {
 protected:
  LabelFile() {
    for (const char* name : {"train/a.png", "train/b.png", "train/c.png", "val/d.png", "val/e.png"}) {
      fs::create_directories((folder_ / name).parent_path());
      fs::copy_file(fixture("rgb.png"), folder_ / name);
    }
  }
  ImageFiles read(const std::string& text) const {
    write_bytes(folder_ / "labels.csv", text);
    return read_label_file(folder_ / "labels.csv", folder_.path());
  }
  DatasetPair open(const std::string& text) const {
    write_bytes(folder_ / "labels.csv", text);
    return open_dataset(
        "imagefolder", folder_.path(),
        {.transform = ImageTransform{.size = 8, .resize = 8}, .labels = {.all = folder_ / "labels.csv"}});
  }
  void expect_refused(const std::string& text, const std::vector<std::string>& parts) const {
    expect_error(ErrorKind::data, parts, [&] { read(text); });
  }

  TemporaryFolder folder_;
};

TEST_F(LabelFile, ReadsWhatTheFirstLineNames) {
  const ImageFiles files = read(
      "Image,Mass,\"Edema, of the \"\"lung\"\"\",Hernia\r\n"
      "train/a.png,1,0,\r\n"
      "\r\n"
      "\"train/b.png\",0.0,0.25,-1\r\n"
      "val/d.png,1.0,0,1");
  EXPECT_EQ(files.class_names, (std::vector<std::string>{"Mass", "Edema, of the \"lung\"", "Hernia"}));
  EXPECT_EQ(files.files, (std::vector<std::string>{"train/a.png", "train/b.png", "val/d.png"}));
  EXPECT_EQ(files.targets, (std::vector<float>{1, 0, -1, 0, 0.25F, -1, 1, 0, 1}));
}

TEST_F(LabelFile, SaysWhereItIsWrong) {
  expect_refused("", {"labels.csv:0"});
  expect_refused("image\n", {"labels.csv:1", "class"});
  expect_refused("image,a,a\n", {"labels.csv:1", "'a'", "twice"});
  expect_refused("image,a,\n", {"labels.csv:1", "no name"});
  expect_refused("image,a\n", {"labels.csv:1", "no image"});
  expect_refused("image,a\ntrain/a.png,1,0\n", {"labels.csv:2", "3 cells"});
  expect_refused("image,a\ntrain/a.png,yes\n", {"labels.csv:2", "'yes'"});
  expect_refused("image,a\ntrain/a.png,1.5\n", {"labels.csv:2", "'1.5'"});
  expect_refused("image,a\ntrain/a.png,nan\n", {"labels.csv:2", "'nan'"});
  expect_refused("image,a\ntrain/z.png,1\n", {"labels.csv:2", "train/z.png", "not there"});
  expect_refused("image,a\ntrain/a.png,1\ntrain/a.png,0\n", {"labels.csv:3", "twice"});
  expect_refused("image,a\n\"train/a.png,1\n", {"labels.csv:2", "quote"});
}

TEST_F(LabelFile, PartsFollowFolders) {
  const DatasetPair pair = open("image,x,y\ntrain/a.png,1,0\nval/d.png,0,1\ntrain/c.png,1,1\n");
  EXPECT_EQ(pair.train->size(), 2);
  EXPECT_EQ(pair.test->size(), 1);
  EXPECT_TRUE(pair.train->multi_label());
  EXPECT_EQ(pair.train->label(0), -1);
  std::array<float, 2> targets{};
  pair.train->read_targets(1, targets);
  EXPECT_EQ(targets, (std::array<float, 2>{1, 1}));
  const DatasetPair one = open("image,x,y\ntrain/a.png,1,0\ntrain/c.png,1,1\n");
  EXPECT_EQ(one.train->size(), 2);
  EXPECT_EQ(one.test->size(), 2);
  EXPECT_NE(one.train->content_hash(), open("image,x,y\ntrain/a.png,1,0\ntrain/c.png,0,1\n").train->content_hash());
  fs::copy_file(fixture("rgb.png"), folder_ / "f.png");
  expect_error(ErrorKind::data, {"f.png"}, [&] { open("image,x\ntrain/a.png,1\nval/d.png,0\nf.png,1\n"); });
  // Its classes do not divide its items.
  expect_error(ErrorKind::data, {"multi-label"}, [&] { choose_items(*pair.train, {0}, 0, 1); });
  expect_error(ErrorKind::data, {"multi-label"}, [&] { make_subset(pair.train, {0}, {0}); });
  expect_error(ErrorKind::usage, {"--labels", "npz"},
               [&] { open_dataset("npz", folder_.path(), {.labels = {.all = "x.csv"}}); });
}

TEST_F(LabelFile, BatchesHaveTargetsWhereAskedFor) {
  const auto backend = make_reference_backend({});
  const DatasetPtr data = open("image,x,y\ntrain/a.png,1,0\ntrain/b.png,,1\ntrain/c.png,0,0\n").train;
  for (const std::size_t resident : {std::size_t{0}, std::size_t{1} << 20}) {
    LoaderOptions options{.batch_size = 2, .pad_last = true, .mean = {0, 0, 0}, .deviation = {1, 1, 1}};
    options.resident_bytes = resident;
    Loader plain(data, *backend, options);
    plain.start_epoch(0);
    EXPECT_FALSE(plain.next()->targets.defined());
    options.targets = true;
    Loader loader(data, *backend, options);
    loader.start_epoch(0);
    EXPECT_EQ(to_host(loader.next()->targets), (std::vector<double>{1, 0, -1, 1}));
    EXPECT_EQ(to_host(loader.next()->targets), (std::vector<double>{0, 0, -1, -1}));
  }
}

}  // namespace
}  // namespace graft::testing
