#include "datasets/feature_dataset.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/memory_dataset.h"
#include "engine/io/file.h"
#include "engine/reference/reference_backend.h"
#include "tests/datasets/idx_files.h"
#include "tests/io/temporary_folder.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

DatasetPtr make_labels(std::int64_t count) {
  std::vector<std::uint8_t> labels;
  for (std::int64_t i = 0; i < count; ++i) labels.push_back(static_cast<std::uint8_t>(i % 2));
  return std::make_shared<MemoryDataset>(std::vector<std::uint8_t>(labels.size()), Shape{1, 1, 1}, labels,
                                         std::vector<std::string>{"even", "odd"});
}

class FeatureDatasetTest : public ::testing::Test {
 protected:
  /// Writes five rows [2, 3] in batches of four, the last one padded.
  std::vector<double> write(DType dtype) {
    const auto values = random_values(8 * 6, 1);
    const Tensor all = from_host(*backend_, {8, 2, 3}, dtype, values);
    FeatureWriter writer(path_, {2, 3}, dtype, 5);
    writer.append(all.slice(0, 4), 4);
    writer.append(all.slice(4, 8), 1);
    EXPECT_FALSE(std::filesystem::exists(path_));
    writer.commit();
    return to_host(all.slice(0, 5));
  }
  std::unique_ptr<Backend> backend_ = make_reference_backend({});
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "features.safetensors";
};

TEST_F(FeatureDatasetTest, GivesBackWhatWasWritten) {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::filesystem::remove(path_);
    const auto expected = write(dtype);
    const DatasetPtr features = open_features(path_, make_labels(5));
    ASSERT_EQ(features->size(), 5);
    EXPECT_EQ(features->item_shape(), Shape({2, 3}));
    EXPECT_EQ(features->item_dtype(), dtype);
    EXPECT_EQ(features->label(3), 1);
    EXPECT_EQ(features->class_names()[1], "odd");
    std::vector<std::byte> bytes(5 * features->item_bytes());
    for (std::int64_t i = 0; i < 5; ++i) {
      features->read(
          i, std::span(bytes).subspan(static_cast<std::size_t>(i) * features->item_bytes(), features->item_bytes()));
    }
    const Tensor read = backend_->empty({5, 2, 3}, dtype);
    backend_->copy_from_host(bytes.data(), read);
    EXPECT_EQ(to_host(read), expected);
    EXPECT_THROW(features->read(5, std::span(bytes).first(features->item_bytes())), Error);
  }
}

TEST_F(FeatureDatasetTest, HashTellsFeaturesApart) {
  write(DType::f32);
  const std::string hash = open_features(path_, make_labels(5))->content_hash();
  EXPECT_EQ(open_features(path_, make_labels(5))->content_hash(), hash);
  std::string bytes = read_bytes(path_);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_bytes(path_, bytes);
  EXPECT_NE(open_features(path_, make_labels(5))->content_hash(), hash);
}

TEST_F(FeatureDatasetTest, NamesADamagedFile) {
  write(DType::f32);
  expect_error(ErrorKind::data, {path_.string(), "5 items", "has 6"}, [&] { open_features(path_, make_labels(6)); });
  const std::string bytes = read_bytes(path_);
  write_bytes(path_, bytes.substr(0, bytes.size() - 1));
  expect_error(ErrorKind::data, {path_.string(), "truncated"}, [&] { open_features(path_, make_labels(5)); });
  expect_error(ErrorKind::data, {"absent"}, [&] { open_features(folder_ / "absent", make_labels(5)); });
}

TEST_F(FeatureDatasetTest, WriterLeavesNothingUnfinished) {
  const Tensor rows = random_tensor(*backend_, {4, 2}, DType::f32, 1);
  {
    FeatureWriter writer(path_, {2}, DType::f32, 5);
    writer.append(rows, 4);
    EXPECT_THROW(writer.commit(), Error);
    EXPECT_THROW(writer.append(rows, 2), Error);
    EXPECT_THROW(writer.append(rows.reshape({2, 4}), 1), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_THROW(FeatureWriter(path_, {2}, DType::f64, 5), Error);
}

TEST_F(FeatureDatasetTest, WriterNamesAFullDisk) {
  const int code = run_with_file_limit(4096, [&] {
    const Tensor rows = random_tensor(*backend_, {64, 64}, DType::f32, 1);
    FeatureWriter writer(path_, {64}, DType::f32, 64);
    try {
      writer.append(rows, 64);  // may stay in a block that is not full yet
      writer.commit();
    } catch (const Error& error) {
      return std::string(error.what()).find("features.safetensors: cannot write: file too large") == std::string::npos;
    }
    return true;
  });
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

}  // namespace
}  // namespace graft::testing
