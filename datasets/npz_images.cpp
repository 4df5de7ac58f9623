#include "datasets/npz_images.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "datasets/memory_dataset.h"
#include "engine/base/error.h"
#include "engine/io/checkpoint.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

struct Images {
  std::vector<std::uint8_t> pixels;
  Shape item_shape;
  std::int64_t count = 0;
};

struct Part {
  Images images;
  std::vector<std::uint8_t> labels;
};

const CheckpointTensor& find_array(const Checkpoint& file, const std::vector<std::string>& names,
                                   const std::string& remedy) {
  for (const std::string& name : names) {
    if (const CheckpointTensor* found = file.find(name)) return *found;
  }
  fail(ErrorKind::data, "{}: has no array '{}'; {}", file.path().string(), fmt::join(names, "' or '"), remedy);
}

bool is_channels(std::int64_t extent) { return extent == 1 || extent == 3; }

Images read_images(const Checkpoint& file, const CheckpointTensor& array) {
  const std::vector<std::int64_t>& shape = array.shape;
  const bool flat = shape.size() == 3;
  const bool last = shape.size() == 4 && is_channels(shape[3]);
  const bool first = shape.size() == 4 && !last && is_channels(shape[1]);
  if (array.known != DType::u8 || !(flat || last || first)) {
    fail(ErrorKind::data, "{}: array '{}' is {} {}; images are u8 [N, H, W], [N, H, W, C] or [N, C, H, W], C 1 or 3",
         file.path().string(), array.name, array.dtype, fmt::join(shape, "x"));
  }
  Images images{.pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(array.nbytes)), .item_shape = {}};
  images.count = shape[0];
  file.read(array, std::as_writable_bytes(std::span(images.pixels)));
  images.item_shape = first ? Shape{shape[2], shape[3], shape[1]} : Shape{shape[1], shape[2], flat ? 1 : shape[3]};
  if (!first || shape[1] == 1) return images;
  const auto plane = static_cast<std::size_t>(shape[2] * shape[3]);
  std::vector<std::uint8_t> mixed(images.pixels.size());
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    mixed[i] = images.pixels[i / (3 * plane) * 3 * plane + i % 3 * plane + i / 3 % plane];
  }
  images.pixels = std::move(mixed);
  return images;
}

template <class T>
std::vector<std::int64_t> read_integers(const Checkpoint& file, const CheckpointTensor& array) {
  std::vector<T> values(static_cast<std::size_t>(array.nbytes) / sizeof(T));
  file.read(array, std::as_writable_bytes(std::span(values)));
  return {values.begin(), values.end()};
}

std::vector<std::uint8_t> read_labels(const Checkpoint& file, const CheckpointTensor& array) {
  const bool shaped = array.shape.size() == 1 || (array.shape.size() == 2 && array.shape[1] == 1);
  std::vector<std::int64_t> labels;
  if (shaped && array.known == DType::u8) {
    labels = read_integers<std::uint8_t>(file, array);
  } else if (shaped && array.known == DType::i32) {
    labels = read_integers<std::int32_t>(file, array);
  } else if (shaped && array.known == DType::i64) {
    labels = read_integers<std::int64_t>(file, array);
  } else {
    fail(ErrorKind::data, "{}: array '{}' is {} {}; labels are u8, i32 or i64, [N] or [N, 1]", file.path().string(),
         array.name, array.dtype, fmt::join(array.shape, "x"));
  }
  std::vector<std::uint8_t> narrow;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] > 255) {
      fail(ErrorKind::data, "{}: label {} of item {} in '{}' is out of range, 0 to 255 are read", file.path().string(),
           labels[i], i, array.name);
    }
    narrow.push_back(static_cast<std::uint8_t>(labels[i]));
  }
  return narrow;
}

Part read_part(const Checkpoint& file, const std::vector<std::string>& images, const std::vector<std::string>& labels,
               const std::string& remedy) {
  const CheckpointTensor& image_array = find_array(file, images, remedy);
  const CheckpointTensor& label_array = find_array(file, labels, remedy);
  Part part{.images = read_images(file, image_array), .labels = read_labels(file, label_array)};
  if (part.images.count != static_cast<std::int64_t>(part.labels.size())) {
    fail(ErrorKind::data, "{}: '{}' has {} images, '{}' {} labels", file.path().string(), image_array.name,
         part.images.count, label_array.name, part.labels.size());
  }
  if (part.labels.empty()) fail(ErrorKind::data, "{}: '{}' is empty", file.path().string(), image_array.name);
  return part;
}

std::pair<Part, Part> read_parts(const fs::path& path, const CheckpointOptions& limits, const std::string& remedy) {
  if (!fs::is_directory(path)) {
    const auto file = open_checkpoint(path, limits);
    return {read_part(*file, {"train_images", "x_train"}, {"train_labels", "y_train"}, remedy),
            read_part(*file, {"test_images", "x_test"}, {"test_labels", "y_test"}, remedy)};
  }
  const fs::path test = fs::exists(path / "test.npz") ? path / "test.npz" : path / "val.npz";
  for (const fs::path& file : {path / "train.npz", test}) {
    if (!fs::exists(file)) fail(ErrorKind::data, "{}: is not there; {}", file.string(), remedy);
  }
  const auto read = [&](const fs::path& file) {
    return read_part(*open_checkpoint(file, limits), {"images", "x"}, {"labels", "y"}, remedy);
  };
  return {read(path / "train.npz"), read(test)};
}

}  // namespace

DatasetPair read_npz_images(const fs::path& path, const CheckpointOptions& limits, const std::string& remedy) {
  auto [train, test] = read_parts(path, limits, remedy);
  if (!(train.images.item_shape == test.images.item_shape)) {
    fail(ErrorKind::data, "{}: training images are {}, test images {}; {}", path.string(),
         train.images.item_shape.str(), test.images.item_shape.str(), remedy);
  }
  std::uint8_t most = 0;
  for (const Part* part : {&train, &test})
    most = std::max(most, *std::max_element(part->labels.begin(), part->labels.end()));
  std::vector<std::string> names;
  for (int i = 0; i <= most; ++i) names.push_back(std::to_string(i));
  const auto channels = static_cast<std::size_t>(train.images.item_shape[2]);
  const auto make = [&](Part& part) {
    const Shape item = part.images.item_shape;
    return std::make_shared<MemoryDataset>(std::move(part.images.pixels), item, std::move(part.labels), names);
  };
  return {.train = make(train),
          .test = make(test),
          .mean = std::vector<float>(channels, 0.5f),
          .deviation = std::vector<float>(channels, 0.5f)};
}

}  // namespace graft
