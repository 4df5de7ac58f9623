#pragma once

#include <filesystem>
#include <string>

namespace graft {

struct ImageFiles;

/// CSV files that give images several labels each.
struct LabelFiles {
  std::string all{};   ///< of all images, or of the training set; empty: none
  std::string test{};  ///< of the test set; empty: `all` has both parts
  bool given() const { return !all.empty(); }
};

/// The images that a CSV file names, with their labels. A line an image: its path relative to `root`, then for each
/// class a number: 1 where the image has it, 0 where it has not (between them a probability), -1 or nothing where
/// nobody knows. The first line names the classes behind its first cell. Cells may be quoted as RFC 4180 says. Throws
/// Error(data) "FILE:LINE: ..." for anything else, an image that is not there, and one that is named twice.
ImageFiles read_label_file(const std::filesystem::path& file, const std::filesystem::path& root);

}  // namespace graft
