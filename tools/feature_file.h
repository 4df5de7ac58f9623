#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace graft {

/// What a file of features says beside the numbers.
struct FeatureFileInfo {
  std::vector<std::int64_t> shape;              ///< [images, ...]
  std::vector<std::string> images;              ///< their files' names
  std::map<std::string, std::string> metadata;  ///< of a safetensors file
};

/// Writes rows of f32 as they come; the file appears whole, or not at all. Errors are Error(failure) naming the file.
class FeatureFile {
 public:
  virtual ~FeatureFile() = default;
  virtual void write(std::span<const float> row) = 0;
  virtual void commit() = 0;
};

/// By the name's end .npz, NumPy's arrays "features" and "images", the names in UTF-8; by any other a safetensors file
/// with the tensor "features" and the names as JSON in its metadata.
std::unique_ptr<FeatureFile> create_feature_file(const std::string& path, const FeatureFileInfo& info);

}  // namespace graft
