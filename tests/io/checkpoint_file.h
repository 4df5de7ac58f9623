#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/io/checkpoint.h"
#include "tests/io/temporary_folder.h"

namespace graft {

/// Little-endian bytes of numbers.
template <class T>
std::string little(std::initializer_list<T> values) {
  std::string bytes;
  for (const T& value : values) {
    std::string one(sizeof(T), '\0');
    std::memcpy(one.data(), &value, sizeof(T));
    bytes += one;
  }
  return bytes;
}
template <class T>
std::string little(T value) {
  return little<T>({value});
}

/// A test that writes files from bytes and opens them as checkpoints.
class CheckpointFileTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  /// A file of this test tree's folder for small binary files.
  static std::filesystem::path fixture(const std::string& name) {
    return std::filesystem::path(GRAFT_SOURCE_DIR) / "tests/io/fixtures" / name;
  }

  /// The elements of a tensor that must be there, as read() gives them; mapped() must agree where it gives any.
  template <class T>
  static std::vector<T> values(const Checkpoint& checkpoint, const std::string& name) {
    const CheckpointTensor* tensor = checkpoint.find(name);
    if (tensor == nullptr) {
      ADD_FAILURE() << "no tensor " << name;
      return {};
    }
    std::vector<T> result(tensor->nbytes / sizeof(T));
    EXPECT_EQ(result.size() * sizeof(T), tensor->nbytes);
    checkpoint.read(*tensor, std::as_writable_bytes(std::span(result)));
    if (const auto bytes = checkpoint.mapped(*tensor)) {
      EXPECT_EQ(bytes->size(), tensor->nbytes);
      EXPECT_TRUE(bytes->empty() || std::memcmp(bytes->data(), result.data(), bytes->size()) == 0) << name;
    }
    return result;
  }

  /// Opening these bytes must end as Error(data) with one line that names the file and has `reason` in it.
  void expect_refused(const std::string& bytes, const std::string& reason,
                      const CheckpointOptions& options = {}) const {
    const std::filesystem::path path = write("refused", bytes);
    expect_error(ErrorKind::data, {path.string(), reason}, [&] { open_checkpoint(path, options); });
  }

  /// The same for bytes that open, and fail when a tensor is read.
  void expect_unreadable(const std::string& bytes, const std::string& name, const std::string& reason) const {
    const std::filesystem::path path = write("unreadable", bytes);
    const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(path);
    const CheckpointTensor* tensor = checkpoint->find(name);
    ASSERT_NE(tensor, nullptr) << name;
    std::vector<std::byte> destination(tensor->nbytes);
    expect_error(ErrorKind::data, {path.string(), name, reason}, [&] { checkpoint->read(*tensor, destination); });
  }

  static std::vector<std::string> names(const Checkpoint& checkpoint) {
    std::vector<std::string> result;
    for (const CheckpointTensor& tensor : checkpoint.tensors()) result.push_back(tensor.name);
    return result;
  }

  TemporaryFolder folder_;
};

}  // namespace graft
