#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/io/file.h"

namespace graft {

/// One tensor of a safetensors file, its bytes lying in the mapped file (little-endian, row-major).
struct SafetensorsEntry {
  std::string dtype;           ///< the format's name: "F32", "BF16", "U16", ...
  std::optional<DType> known;  ///< the same where graft has it
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< offsets within the data part
  std::uint64_t end = 0;
};

/// A safetensors file (huggingface.co/docs/safetensors), mapped and checked as a whole on opening: header length below
/// the format's cap and within the file, no key twice, sizes as dtype and shape say, and the tensors cover the data
/// part without gap or overlap. Throws Error(data), one line that names the file, for anything else.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// The entry named so, or nullptr.
  const SafetensorsEntry* find(const std::string& name) const;
  /// An entry's bytes; valid while this object lives.
  std::span<const std::byte> bytes(const SafetensorsEntry& entry) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::span<const std::byte> data_;
  std::map<std::string, SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

/// The format's name for a dtype: "F32".
const char* safetensors_dtype(DType dtype);

/// What a file of these tensors starts with: the header's length and the header, padded with spaces to a multiple of 8.
struct SafetensorsHeaderEntry {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
};
/// The tensors' bytes must follow in the order given. Throws Error(failure) for a name given twice.
std::string safetensors_header(const std::vector<SafetensorsHeaderEntry>& tensors,
                               const std::map<std::string, std::string>& metadata);

}  // namespace graft
