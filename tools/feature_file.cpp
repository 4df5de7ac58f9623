#include "tools/feature_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/dtype.h"
#include "engine/io/atomic_file.h"
#include "engine/io/npz_writer.h"
#include "engine/io/safetensors_file.h"

namespace graft {
namespace {

constexpr const char* kTensor = "features";

class SafetensorsFeatures final : public FeatureFile {
 public:
  SafetensorsFeatures(const std::string& path, const FeatureFileInfo& info) : file_(path) {
    std::map<std::string, std::string> metadata = info.metadata;
    // A file's name is bytes, JSON is text.
    metadata["images"] = nlohmann::json(info.images).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::string header =
        safetensors_header({{.name = kTensor, .dtype = DType::f32, .shape = info.shape}}, metadata);
    file_.write(std::as_bytes(std::span(header)));
  }
  void write(std::span<const float> row) override { file_.write(std::as_bytes(row)); }
  void commit() override { file_.commit(); }

 private:
  AtomicFile file_;
};

class NpzFeatures final : public FeatureFile {
 public:
  NpzFeatures(const std::string& path, const FeatureFileInfo& info) : file_(path, arrays(info)) {
    for (std::string name : info.images) {
      name.resize(width(info));
      file_.write(std::as_bytes(std::span(name)));
    }
  }
  void write(std::span<const float> row) override { file_.write(std::as_bytes(row)); }
  void commit() override { file_.commit(); }

 private:
  /// Of the longest name; the others are filled up with zeros, as NumPy does.
  static std::size_t width(const FeatureFileInfo& info) {
    std::size_t longest = 1;
    for (const std::string& name : info.images) longest = std::max(longest, name.size());
    return longest;
  }
  static std::vector<NpzArray> arrays(const FeatureFileInfo& info) {
    return {{.name = "images",
             .descr = fmt::format("|S{}", width(info)),
             .element = width(info),
             .shape = {std::ssize(info.images)}},
            {.name = kTensor, .descr = "<f4", .element = sizeof(float), .shape = info.shape}};
  }

  NpzWriter file_;
};

}  // namespace

std::unique_ptr<FeatureFile> create_feature_file(const std::string& path, const FeatureFileInfo& info) {
  if (path.ends_with(".npz")) return std::make_unique<NpzFeatures>(path, info);
  return std::make_unique<SafetensorsFeatures>(path, info);
}

}  // namespace graft
