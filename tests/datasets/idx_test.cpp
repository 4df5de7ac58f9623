#include "datasets/idx.h"

#include <gtest/gtest.h>

#include "tests/datasets/idx_files.h"
#include "tests/io/temporary_folder.h"

namespace graft::testing {
namespace {

class IdxTest : public ::testing::Test {
 protected:
  void expect_refused(const std::string& bytes, const std::string& reason) {
    for (const bool zipped : {false, true}) {
      zipped ? write_gzip(path_, bytes) : write_bytes(path_, bytes);
      expect_error(ErrorKind::data, {path_.string(), reason, "reinstall it"},
                   [&] { read_idx(path_, 3, "reinstall it"); });
    }
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "images";
};

TEST_F(IdxTest, ReadsPlainAndGzip) {
  const std::string bytes = idx_bytes(0x803, {2, 1, 3}, std::string("\x00\x01\x02\xfd\xfe\xff", 6));
  for (const bool zipped : {false, true}) {
    zipped ? write_gzip(path_, bytes) : write_bytes(path_, bytes);
    const IdxArray array = read_idx(path_, 3, "");
    EXPECT_EQ(array.shape, Shape({2, 1, 3}));
    EXPECT_EQ(array.values, (std::vector<std::uint8_t>{0, 1, 2, 0xfd, 0xfe, 0xff}));
  }
}

TEST_F(IdxTest, RefusesDamagedFiles) {
  expect_refused("", "ends within its header");
  expect_refused(std::string("\0\0\x08", 3), "ends within its header");
  expect_refused(idx_bytes(0x803, {2, 1}, ""), "ends within its header");
  expect_refused(idx_bytes(0x801, {6}, "abcdef"), "0x00000801, unsigned bytes of rank 3 with 0x00000803");
  expect_refused(idx_bytes(0xd03, {1, 1, 1}, "abcd"), "0x00000d03");
  expect_refused("<!DOCTYPE html>", "0x3c21444f");
  expect_refused(idx_bytes(0x803, {2, 1, 3}, "abcde"), "truncated: 5 of 6 bytes of [2, 1, 3]");
  expect_refused(idx_bytes(0x803, {2, 1, 3}, "abcdefg"), "bytes follow");
  expect_refused(idx_bytes(0x803, {0xffffffff, 0xffffffff, 0xffffffff}, "abc"), "more than the file can hold");
  expect_refused(idx_bytes(0x803, {0xffffffff, 0x80000000, 2}, "abc"), "more than the file can hold");
  expect_refused(idx_bytes(0x803, {60000, 28, 28}, "abc"), "more than the file can hold");
}

TEST_F(IdxTest, RefusesDamagedGzip) {
  // Noise does not compress, so that the cuts below hit data.
  std::string values(30'000, '\0');
  std::uint32_t state = 1;
  for (char& value : values) value = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  write_gzip(path_, idx_bytes(0x803, {3, 100, 100}, values));
  const std::string whole = read_bytes(path_);
  const auto expect_damaged = [&](const std::string& bytes) {
    write_bytes(path_, bytes);
    expect_error(ErrorKind::data, {path_.string(), "no valid idx file", "reinstall it"},
                 [&] { read_idx(path_, 3, "reinstall it"); });
  };
  expect_damaged(whole.substr(0, whole.size() / 2));
  expect_damaged(whole.substr(0, whole.size() - 4));
  std::string flipped = whole;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);  // in the checksum
  expect_damaged(flipped);
}

TEST_F(IdxTest, NamesAMissingFile) {
  expect_error(ErrorKind::data, {"images", "no such file"}, [&] { read_idx(path_, 3, ""); });
}

}  // namespace
}  // namespace graft::testing
