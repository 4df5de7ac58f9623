#include "datasets/fashion_mnist.h"

#include <memory>
#include <utility>

#include "datasets/idx.h"
#include "datasets/memory_dataset.h"
#include "engine/base/error.h"

namespace graft {
namespace {

const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                 "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return names;
}

/// FOLDER/NAME, or FOLDER/NAME.gz where only that is there.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::string& name,
                                const std::string& remedy) {
  std::filesystem::path plain = folder / name;
  if (std::filesystem::exists(plain)) return plain;
  std::filesystem::path zipped = folder / (name + ".gz");
  if (std::filesystem::exists(zipped)) return zipped;
  fail(ErrorKind::data, "fashion-mnist: neither {} nor {}.gz is there; {}", plain.string(), name, remedy);
}

DatasetPtr read_part(const std::filesystem::path& folder, const std::string& part, const std::string& remedy) {
  const auto image_file = find_file(folder, part + "-images-idx3-ubyte", remedy);
  const auto label_file = find_file(folder, part + "-labels-idx1-ubyte", remedy);
  IdxArray images = read_idx(image_file, 3, remedy);
  IdxArray labels = read_idx(label_file, 1, remedy);
  if (images.shape[0] != labels.shape[0]) {
    fail(ErrorKind::data, "{}: has {} labels, {} has {} images; {}", label_file.string(), labels.shape[0],
         image_file.string(), images.shape[0], remedy);
  }
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] >= class_names().size()) {
      fail(ErrorKind::data, "{}: label {} of item {} is out of range, the classes are 0 to {}; {}", label_file.string(),
           labels.values[i], i, class_names().size() - 1, remedy);
    }
  }
  const Shape item{images.shape[1], images.shape[2], 1};
  return std::make_shared<MemoryDataset>(std::move(images.values), item, std::move(labels.values), class_names());
}

}  // namespace

std::filesystem::path fashion_mnist_package_folder() { return "/usr/share/datasets/fashion-mnist"; }

DatasetPair read_fashion_mnist(const std::filesystem::path& folder, const std::string& remedy) {
  DatasetPair pair{.train = read_part(folder, "train", remedy),
                   .test = read_part(folder, "t10k", remedy),
                   .mean = {0.286f},
                   .deviation = {0.353f}};
  if (!(pair.train->item_shape() == pair.test->item_shape())) {
    fail(ErrorKind::data, "{}: training images are {}, test images {}; {}", folder.string(),
         pair.train->item_shape().str(), pair.test->item_shape().str(), remedy);
  }
  return pair;
}

}  // namespace graft
