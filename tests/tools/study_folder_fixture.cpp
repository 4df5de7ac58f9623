#include "tests/tools/study_folder_fixture.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "engine/base/philox.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStudy = R"(name: small
dataset: fashion-mnist
model: convnet6
split:
  source: [Trouser, Sandal, Sneaker]
  target: [Pullover, Dress, Coat]
samples:
  train_per_class: 12
  test_per_class: 4
treatments: [base, BnB, BnB+, AnB, AnB+, random]
cuts: [1, 3]
seeds: [0]
training:
  epochs: 1
  batch_size: 8
  lr: 0.02
)";

void append_number(std::string& bytes, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xffu);
}

/// The idx format: magic with element type and rank, extents, elements.
void write_idx(const fs::path& path, const std::vector<std::uint32_t>& shape, const std::string& elements) {
  std::string bytes;
  append_number(bytes, 0x0800u + static_cast<std::uint32_t>(shape.size()));
  for (const std::uint32_t extent : shape) append_number(bytes, extent);
  std::ofstream(path, std::ios::binary) << bytes << elements;
}

void write_part(const fs::path& folder, const std::string& part, std::uint32_t per_class) {
  constexpr std::uint32_t kClasses = 10;
  constexpr std::uint32_t kSize = 28;
  const RandomStream noise{.seed = 3, .stream = stream_of(part)};
  std::string pixels;
  std::string labels;
  for (std::uint32_t item = 0; item < kClasses * per_class; ++item) {
    const std::uint32_t label = item % kClasses;
    labels += static_cast<char>(label);
    for (std::uint32_t i = 0; i < kSize * kSize; ++i) {
      const std::uint32_t bright = (i / kSize / (label + 1)) % 2 == 0 ? 120 : 30;
      pixels += static_cast<char>(bright + noise.word(item, i) % 100);
    }
  }
  write_idx(folder / (part + "-images-idx3-ubyte"), {kClasses * per_class, kSize, kSize}, pixels);
  write_idx(folder / (part + "-labels-idx1-ubyte"), {kClasses * per_class}, labels);
}

}  // namespace

StudyFolderTest::StudyFolderTest() {
  std::string name = (fs::temp_directory_path() / "graft-tools-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  root_ = name;
  fs::create_directories(data());
  write_part(data(), "train", 12);
  write_part(data(), "t10k", 4);
  write(path("small.yaml"), kStudy);
}

StudyFolderTest::~StudyFolderTest() {
  std::error_code ignored;
  fs::permissions(root_, fs::perms::owner_all, ignored);
  fs::remove_all(root_, ignored);
}

std::vector<std::string> StudyFolderTest::words(const std::string& action, const std::vector<std::string>& more,
                                                const std::string& output) const {
  std::vector<std::string> all{"study",         action,     path("small.yaml").string(), "--data-dir",
                               data().string(), "--output", path(output).string()};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

void StudyFolderTest::edit_study(const std::string& from, const std::string& to) const {
  std::string text = read(path("small.yaml"));
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("the study does not say " + from);
  write(path("small.yaml"), text.replace(at, from.size(), to));
}

void StudyFolderTest::write(const fs::path& file, const std::string& text) const {
  std::ofstream(file, std::ios::binary) << text;
}

std::string StudyFolderTest::read(const fs::path& file) const {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> StudyFolderTest::record(const std::string& output) const {
  return comparable_lines(read_results(path(output)));
}

void expect_one_line(const ProcessResult& result, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.code, code) << result.error;
  const std::vector<std::string> lines = lines_of(result.error);
  ASSERT_EQ(lines.size(), 1u) << result.error;
  EXPECT_TRUE(lines.front().starts_with("graft: ")) << lines.front();
  for (const std::string& part : parts) {
    EXPECT_NE(lines.front().find(part), std::string::npos) << "no '" << part << "' in: " << lines.front();
  }
}

}  // namespace graft::testing
