#include "datasets/dataset.h"
#include "datasets/fashion_mnist.h"
#include "engine/base/error.h"
#include "engine/base/nearest_name.h"

namespace graft {

const std::vector<DatasetEntry>& dataset_entries() {
  static const std::vector<DatasetEntry> entries = {
      {.name = "fashion-mnist",
       .description = "70,000 grey 28x28 images of 10 kinds of clothing (Zalando Research, MIT licence)",
       .remedy = "apt-get install dataset-fashion-mnist, or name the folder of its idx files with --data-dir"}};
  return entries;
}

DatasetPair open_dataset(const std::string& name, const std::string& data_dir) {
  std::vector<std::string> names;
  for (const DatasetEntry& entry : dataset_entries()) {
    names.push_back(entry.name);
    if (entry.name != name) continue;
    return read_fashion_mnist(data_dir.empty() ? fashion_mnist_package_folder() : std::filesystem::path(data_dir),
                              entry.remedy);
  }
  fail(ErrorKind::usage, "dataset '{}' is not known; did you mean '{}'? (graft datasets lists them)", name,
       nearest_name(name, names));
}

}  // namespace graft
