#pragma once

#include <filesystem>
#include <string>

#include "datasets/dataset.h"

namespace graft {

// CIFAR (Krizhevsky 2009) in its binary version: 50,000 and 10,000 images [32, 32, 3], planes of red, green and blue in
// the files. `folder` is that of the files or the one above it. Throw Error(data) naming the file and `remedy`.

/// data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt.
DatasetPair read_cifar10(const std::filesystem::path& folder, const std::string& remedy);

enum class Cifar100Labels { fine, coarse };
/// train.bin, test.bin and the names of the 100 fine or the 20 coarse classes in fine_label_names.txt or
/// coarse_label_names.txt.
DatasetPair read_cifar100(const std::filesystem::path& folder, Cifar100Labels labels, const std::string& remedy);

}  // namespace graft
