#pragma once

#include <filesystem>
#include <string>

#include "datasets/dataset.h"

namespace graft {

/// Where Debian's package dataset-fashion-mnist puts its files.
std::filesystem::path fashion_mnist_package_folder();

/// Fashion-MNIST (Xiao, Rasul and Vollgraf 2017): 60,000 and 10,000 images [28, 28, 1] of ten kinds of clothing, from
/// the four idx files in `folder`, plain or gzip. Throws Error(data) naming the file and `remedy`.
DatasetPair read_fashion_mnist(const std::filesystem::path& folder, const std::string& remedy);

}  // namespace graft
