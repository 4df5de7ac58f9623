#include "engine/io/npz_writer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "tests/io/temporary_folder.h"

namespace graft {
namespace {

std::vector<NpzArray> arrays() {
  return {{.name = "names", .descr = "|S3", .element = 3, .shape = {2}},
          {.name = "empty", .descr = "<f4", .element = 4, .shape = {0, 7}},
          {.name = "values", .descr = "<f4", .element = 4, .shape = {2, 3}},
          {.name = "scalar", .descr = "<i8", .element = 8, .shape = {}}};
}

const std::vector<float> kValues{1.5F, -2.0F, 0.0F, 3.25F, 1e30F, -1e-30F};

void write_all_arrays(NpzWriter& writer) {
  writer.write(std::as_bytes(std::span("abcde\0", 6)));
  for (std::size_t row = 0; row < 2; ++row) writer.write(std::as_bytes(std::span(kValues).subspan(3 * row, 3)));
  const std::int64_t scalar = -7;
  writer.write(std::as_bytes(std::span(&scalar, 1)));
}

TEST(NpzWriter, WritesWhatTheReaderReads) {
  const TemporaryFolder folder;
  for (const bool zip64 : {false, true}) {
    NpzWriter writer(folder / "a.npz", arrays(), zip64);
    write_all_arrays(writer);
    EXPECT_FALSE(std::filesystem::exists(folder / "a.npz"));
    writer.commit();
    const auto file = open_checkpoint(folder / "a.npz");
    ASSERT_EQ(file->tensors().size(), 4u);
    const CheckpointTensor* values = file->find("values");
    ASSERT_NE(values, nullptr);
    EXPECT_EQ(values->shape, (std::vector<std::int64_t>{2, 3}));
    std::vector<float> read(6);
    file->read(*values, std::as_writable_bytes(std::span(read)));
    EXPECT_EQ(read, kValues);
    EXPECT_EQ(file->find("empty")->shape, (std::vector<std::int64_t>{0, 7}));
    EXPECT_EQ(file->find("names")->shape, (std::vector<std::int64_t>{2}));
    std::int64_t scalar = 0;
    file->read(*file->find("scalar"), std::as_writable_bytes(std::span(&scalar, 1)));
    EXPECT_EQ(scalar, -7);
    std::filesystem::remove(folder / "a.npz");
  }
}

/// Byte for byte what numpy.save of NumPy 1.26 writes before the elements.
TEST(NpzWriter, HeadersAreNumPys) {
  const TemporaryFolder folder;
  NpzWriter writer(folder / "a.npz", arrays());
  write_all_arrays(writer);
  writer.commit();
  const std::string text = read_text(folder / "a.npz");
  using namespace std::string_literals;
  for (const std::string& dictionary : {"{'descr': '|S3', 'fortran_order': False, 'shape': (2,), }"s,
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 7), }"s,
                                        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"s,
                                        "{'descr': '<i8', 'fortran_order': False, 'shape': (), }"s}) {
    std::string header = "\x93NUMPY\x01\x00\x76\x00"s + dictionary;
    header.resize(127, ' ');
    EXPECT_NE(text.find(header + "\n"), std::string::npos) << dictionary;
  }
}

TEST(NpzWriter, RefusesTooManyElementsAndTooFew) {
  const TemporaryFolder folder;
  {
    NpzWriter writer(folder / "a.npz", arrays());
    EXPECT_THROW(writer.write(std::as_bytes(std::span("too many", 8))), Error);
    EXPECT_THROW(writer.commit(), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  NpzWriter none(folder / "none.npz", {});
  none.commit();
  EXPECT_EQ(read_text(folder / "none.npz").size(), 22u);
}

}  // namespace
}  // namespace graft
