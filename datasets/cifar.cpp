#include "datasets/cifar.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include "datasets/memory_dataset.h"
#include "engine/base/error.h"
#include "engine/io/file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;

/// How a record begins: labels, of which one is taken, before three planes.
struct Record {
  std::size_t labels = 1;
  std::size_t taken = 0;
  std::size_t bytes() const { return labels + 3 * kPlane; }
};

struct Part {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

void append_records(const fs::path& path, const Record& record, std::size_t classes, const std::string& remedy,
                    Part& part) {
  if (!fs::exists(path)) fail(ErrorKind::data, "{}: is not there; {}", path.string(), remedy);
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.empty() || bytes.size() % record.bytes() != 0) {
    fail(ErrorKind::data, "{}: no valid CIFAR file: {} bytes are no whole number of records of {}; {}", path.string(),
         bytes.size(), record.bytes(), remedy);
  }
  for (std::size_t at = 0; at < bytes.size(); at += record.bytes()) {
    const auto label = static_cast<std::uint8_t>(bytes[at + record.taken]);
    if (label >= classes) {
      fail(ErrorKind::data,
           "{}: no valid CIFAR file: label {} of record {} is out of range, the classes are 0 to {}; {}", path.string(),
           label, at / record.bytes(), classes - 1, remedy);
    }
    part.labels.push_back(label);
    const std::byte* planes = bytes.data() + at + record.labels;
    const std::size_t begin = part.pixels.size();
    part.pixels.resize(begin + 3 * kPlane);
    for (std::size_t i = 0; i < 3 * kPlane; ++i) {
      part.pixels[begin + i] = static_cast<std::uint8_t>(planes[i % 3 * kPlane + i / 3]);
    }
  }
}

std::vector<std::string> read_names(const fs::path& path, std::size_t count, const std::string& remedy) {
  if (!fs::exists(path)) fail(ErrorKind::data, "{}: is not there; {}", path.string(), remedy);
  std::istringstream text(read_text(path));
  std::vector<std::string> names;
  for (std::string line; std::getline(text, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() != count) {
    fail(ErrorKind::data, "{}: has {} class names, {} are wanted; {}", path.string(), names.size(), count, remedy);
  }
  return names;
}

DatasetPtr make_part(const std::vector<fs::path>& files, const Record& record, const std::vector<std::string>& names,
                     const std::string& remedy) {
  Part part;
  for (const fs::path& file : files) append_records(file, record, names.size(), remedy, part);
  return std::make_shared<MemoryDataset>(std::move(part.pixels), Shape{kSide, kSide, 3}, std::move(part.labels), names);
}

fs::path folder_or_below(const fs::path& folder, const char* usual) {
  return fs::is_directory(folder / usual) ? folder / usual : folder;
}

}  // namespace

DatasetPair read_cifar10(const fs::path& given, const std::string& remedy) {
  const fs::path folder = folder_or_below(given, "cifar-10-batches-bin");
  const auto names = read_names(folder / "batches.meta.txt", 10, remedy);
  std::vector<fs::path> batches;
  for (int i = 1; i <= 5; ++i) batches.push_back(folder / fmt::format("data_batch_{}.bin", i));
  return {.train = make_part(batches, {}, names, remedy),
          .test = make_part({folder / "test_batch.bin"}, {}, names, remedy),
          .mean = {0.4914f, 0.4822f, 0.4465f},
          .deviation = {0.2470f, 0.2435f, 0.2616f}};
}

DatasetPair read_cifar100(const fs::path& given, Cifar100Labels labels, const std::string& remedy) {
  const fs::path folder = folder_or_below(given, "cifar-100-binary");
  const bool fine = labels == Cifar100Labels::fine;
  const auto names =
      read_names(folder / (fine ? "fine_label_names.txt" : "coarse_label_names.txt"), fine ? 100 : 20, remedy);
  const Record record{.labels = 2, .taken = fine ? 1u : 0u};
  return {.train = make_part({folder / "train.bin"}, record, names, remedy),
          .test = make_part({folder / "test.bin"}, record, names, remedy),
          .mean = {0.5071f, 0.4865f, 0.4409f},
          .deviation = {0.2673f, 0.2564f, 0.2762f}};
}

}  // namespace graft
