#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace graft {

/// Image files with a class each, decoded and transformed when they are read.
struct ImageFiles {
  std::filesystem::path root;
  std::vector<std::string> files;  ///< relative to root
  std::vector<std::int64_t> labels;
  std::vector<std::string> class_names;
  /// Of a multi-label set, in place of labels: [files, classes], 1 has it, 0 has not, -1 not known.
  std::vector<float> targets{};
};

/// The files of a folder that has a folder a class, as torchvision's ImageFolder lists them: classes sorted by name, in
/// each all files below it with a suffix .jpg .jpeg .png .ppm .bmp .pgm .tif .tiff .webp (in any case), sorted by
/// folder, then by name. Throws Error(data) naming the folder if there are no classes or one has no images.
ImageFiles list_image_folder(const std::filesystem::path& folder);

/// Items u8 [size, size, 3]: read() gives what evaluation sees, read_crop() a random part of the file's image.
/// content_hash() is SHA-256 over the transform, the class names and, for each file, its name, label, length and its
/// first and last 4096 bytes: all of a file up to 8192 bytes, and of a longer one what a change of its pixels is all
/// but sure to move, since compressed data end elsewhere.
DatasetPtr open_image_files(ImageFiles files, const ImageTransform& transform, const ImageLimits& limits);

/// FOLDER/train and FOLDER/val (or validation, or test); where neither is there, FOLDER's own class folders as both
/// parts, as timm takes it. Throws Error(data) naming the folder if only one is there or the parts' classes differ.
/// With options.labels the images that those files name: with one file, those in train/ and in val/ (or validation/, or
/// test/) where it names both, else all as both parts.
DatasetPair open_image_folder(const std::filesystem::path& folder, const ImageOptions& options);

}  // namespace graft
