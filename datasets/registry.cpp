#include <filesystem>

#include "datasets/cifar.h"
#include "datasets/dataset.h"
#include "datasets/fashion_mnist.h"
#include "datasets/image_folder.h"
#include "datasets/npz_images.h"
#include "engine/base/error.h"
#include "engine/base/nearest_name.h"

namespace graft {

const std::vector<DatasetEntry>& dataset_entries() {
  static const std::vector<DatasetEntry> entries = {
      {.name = "fashion-mnist",
       .description = "70,000 grey 28x28 images of 10 kinds of clothing (Zalando Research, MIT licence)",
       .license = "MIT",
       .remedy = "apt-get install dataset-fashion-mnist, or name the folder of its idx files with --data-dir"},
      {.name = "cifar10",
       .description = "60,000 colour 32x32 images of 10 kinds (Krizhevsky 2009), binary version; --data-dir",
       .license = "none stated",
       .remedy = "unpack cifar-10-binary.tar.gz and name its folder with --data-dir"},
      {.name = "cifar100",
       .description = "60,000 colour 32x32 images of 100 kinds (Krizhevsky 2009), binary version; --data-dir",
       .license = "none stated",
       .remedy = "unpack cifar-100-binary.tar.gz and name its folder with --data-dir"},
      {.name = "cifar100-coarse",
       .description = "the same images by CIFAR-100's 20 superclasses; --data-dir",
       .license = "none stated",
       .remedy = "unpack cifar-100-binary.tar.gz and name its folder with --data-dir"},
      {.name = "imagefolder",
       .description = "image files, a folder a class, in train/ and val/, or labels from a CSV file; --data-dir",
       .license = "",
       .remedy = "name the folder that holds train/ and val/ with --data-dir"},
      {.name = "npz",
       .description = "arrays of u8 images and labels in a .npz file; --data-dir",
       .license = "",
       .remedy = "name the .npz file, or the folder of train.npz and test.npz, with --data-dir"}};
  return entries;
}

namespace {

DatasetPair open_by_name(const DatasetEntry& entry, const std::string& data_dir, const ImageOptions& images) {
  if (entry.name == "fashion-mnist") {
    return read_fashion_mnist(data_dir.empty() ? fashion_mnist_package_folder() : std::filesystem::path(data_dir),
                              entry.remedy);
  }
  if (data_dir.empty()) fail(ErrorKind::data, "{}: no folder was named; {}", entry.name, entry.remedy);
  if (entry.name == "cifar10") return read_cifar10(data_dir, entry.remedy);
  if (entry.name == "cifar100") return read_cifar100(data_dir, Cifar100Labels::fine, entry.remedy);
  if (entry.name == "cifar100-coarse") return read_cifar100(data_dir, Cifar100Labels::coarse, entry.remedy);
  if (entry.name == "npz") return read_npz_images(data_dir, {.max_bytes = images.max_bytes}, entry.remedy);
  return open_image_folder(data_dir, images);
}

/// What images of a fixed size are when a transform is asked for.
DatasetPair transformed(const DatasetPair& pair, const ImageTransform& transform) {
  return {.train = make_transformed(pair.train, transform),
          .test = make_transformed(pair.test, transform),
          .mean = transform.mean,
          .deviation = transform.deviation};
}

}  // namespace

DatasetPair open_dataset(const std::string& name, const std::string& data_dir, const ImageOptions& images) {
  std::vector<std::string> names;
  for (const DatasetEntry& entry : dataset_entries()) {
    names.push_back(entry.name);
    if (entry.name != name) continue;
    if (images.labels.given() && name != "imagefolder") {
      fail(ErrorKind::usage, "--labels {}: {} has labels of its own; the file goes with --dataset imagefolder",
           images.labels.all, name);
    }
    const DatasetPair pair = open_by_name(entry, data_dir, images);
    return images.transform && name != "imagefolder" ? transformed(pair, *images.transform) : pair;
  }
  fail(ErrorKind::usage, "dataset '{}' is not known; did you mean '{}'? (graft datasets lists them)", name,
       nearest_name(name, names));
}

}  // namespace graft
