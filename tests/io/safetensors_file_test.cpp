#include "engine/io/safetensors_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "tests/io/temporary_folder.h"

namespace graft {
namespace {

std::string length_of(std::uint64_t length) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((length >> (8 * i)) & 0xffu);
  return bytes;
}

/// A file put together by hand from a header's text and the bytes that follow it.
std::string assembled(const std::string& header, const std::string& data) {
  return length_of(header.size()) + header + data;
}

class SafetensorsFileTest : public ::testing::Test {
 protected:
  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void expect_refused(const std::string& bytes, const std::string& reason) {
    write(bytes);
    expect_error(ErrorKind::data, {path_.string(), "no valid safetensors file", reason},
                 [this] { SafetensorsFile file(path_); });
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "f.safetensors";
};

TEST_F(SafetensorsFileTest, ReadsBytesAssembledByHand) {
  // The description's own example, with 2 + 6 bytes of data: little-endian length, JSON, data; trailing spaces allowed.
  const std::string header =
      R"({"TEST":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
      R"("__metadata__":{"foo":"bar"},"EMPTY":{"dtype":"I64","shape":[3,0],"data_offsets":[8,8]},)"
      R"("SCALAR":{"dtype":"I16","shape":[],"data_offsets":[2,4]},"PAIR":{"dtype":"BF16","shape":[2,1],"data_offsets":[4,8]}}   )";
  write(assembled(header, std::string("\x00\x3c\x11\x22\x80\x3f\x00\x40", 8)));
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.entries().size(), 4u);
  EXPECT_EQ(file.metadata().at("foo"), "bar");
  ASSERT_NE(file.find("PAIR"), nullptr);
  EXPECT_EQ(file.find("absent"), nullptr);
  const SafetensorsEntry& pair = *file.find("PAIR");
  EXPECT_EQ(pair.known, DType::bf16);
  EXPECT_EQ(pair.shape, (std::vector<std::int64_t>{2, 1}));
  EXPECT_EQ(std::memcmp(file.bytes(pair).data(), "\x80\x3f\x00\x40", 4), 0);
  EXPECT_EQ(file.find("SCALAR")->dtype, "I16");
  EXPECT_FALSE(file.find("SCALAR")->known.has_value());
  EXPECT_TRUE(file.bytes(*file.find("EMPTY")).empty());
}

TEST_F(SafetensorsFileTest, RefusesBadHeaders) {
  expect_refused("", "0 bytes");
  expect_refused("1234567", "7 bytes");
  expect_refused(length_of(0), "no JSON object");
  expect_refused(length_of(100'000'001), "at most 100000000");
  expect_refused(length_of(~std::uint64_t{0}) + "{}", "at most 100000000");
  expect_refused(length_of(50) + "{}", "truncated: the header claims 50 bytes, 2 are there");
  expect_refused(assembled("[1]", ""), "no JSON object");
  expect_refused(assembled(" {}", ""), "no JSON object");
  expect_refused(assembled("{\"a\":", ""), "no JSON");
  expect_refused(assembled("{\"\xff\":{}}", ""), "no JSON");
  expect_refused(assembled("{} x", ""), "no JSON");
  expect_refused(assembled("{\"a\":1}", ""), "'a' is no JSON object");
  expect_refused(assembled("{\"a\":{\"a\":{\"a\":{}}}}", ""), "nested too deep");
  expect_refused(assembled("{\"a\":" + std::string(100'000, '['), ""), "nested too deep");
  expect_refused(assembled("{\"__metadata__\":[]}", ""), "__metadata__");
  expect_refused(assembled("{\"__metadata__\":{\"a\":1}}", ""), "'a' is no text");
  expect_refused(assembled("{\"a\\n\":1}", ""), "'a?'");
}

TEST_F(SafetensorsFileTest, RefusesBadTensors) {
  const auto tensor = [](const std::string& body) { return "{\"t\":{" + body + "}}"; };
  const std::string one = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  expect_refused(assembled("{\"t\":" + one + ",\"t\":" + one + "}", "x"), "names 't' twice");
  expect_refused(assembled(tensor(R"("shape":[1],"data_offsets":[0,1])"), "x"), "\"dtype\"");
  expect_refused(assembled(tensor(R"("dtype":"U9","shape":[1],"data_offsets":[0,1])"), "x"), "unknown dtype 'U9'");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":1,"data_offsets":[0,1])"), "x"), "\"shape\"");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])"), "x"), "no whole number");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[1.5],"data_offsets":[0,1])"), "x"), "no whole number");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0])"), "x"), "1 data_offsets");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,2])"), "xy"), "ask for 1 bytes");
  expect_refused(assembled(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "x"), "ask for 8 bytes");
  expect_refused(assembled(tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])"), ""),
                 "overflows");
  expect_refused(assembled(tensor(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])"), ""),
                 "overflows");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,0])"), ""),
                 "overflows");
  expect_refused(assembled(tensor(R"("dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,0])"), ""),
                 "no whole number");
}

TEST_F(SafetensorsFileTest, RefusesTensorsThatDoNotCoverTheData) {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  write(assembled(two("[2,4]", "[0,2]"), "xxyy"));
  EXPECT_NO_THROW(SafetensorsFile{path_});
  expect_refused(assembled(two("[0,2]", "[0,2]"), "xx"), "overlap");
  expect_refused(assembled(two("[0,2]", "[1,3]"), "xxx"), "overlap");
  expect_refused(assembled(two("[0,2]", "[3,5]"), "xxxxx"), "gap");
  expect_refused(assembled(two("[1,3]", "[3,5]"), "xxxxx"), "gap");
  expect_refused(assembled(two("[0,2]", "[2,4]"), "xxx"), "truncated: 3 bytes of tensors, 4 expected");
  expect_refused(assembled(two("[0,2]", "[2,4]"), "xxxxx"), "1 bytes follow");
  // Offsets beyond any file must not be read.
  expect_refused(assembled(two("[0,2]", "[18446744073709551613,18446744073709551615]"), "xx"), "gap");
}

TEST_F(SafetensorsFileTest, WritesHeadersThatItReads) {
  const std::string header = safetensors_header({{"b", DType::i64, {}}, {"a", DType::f32, {2, 3}}}, {{"k", "v"}});
  EXPECT_EQ(header.size() % 8, 0u);
  write(header + std::string(8 + 24, '\0'));
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.find("b")->begin, 0u);
  EXPECT_EQ(file.find("a")->begin, 8u);
  EXPECT_EQ(file.find("a")->shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(file.metadata().at("k"), "v");
  EXPECT_THROW(safetensors_header({{"a", DType::f32, {}}, {"a", DType::f32, {}}}, {}), Error);
}

}  // namespace
}  // namespace graft
