#include "engine/io/safetensors_file.h"

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "engine/base/error.h"
#include "engine/io/extents.h"
#include "engine/io/format_fault.h"
#include "engine/io/strict_json.h"

namespace graft {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as in the reference implementation
constexpr int kMaxDepth = 3;                            // header, tensor, list

struct DTypeRow {
  const char* name;
  std::uint64_t bytes;
  std::optional<DType> known;
};

constexpr std::array<DTypeRow, 16> kDTypes = {{{"F32", 4, DType::f32},
                                               {"BF16", 2, DType::bf16},
                                               {"F16", 2, DType::f16},
                                               {"F64", 8, DType::f64},
                                               {"I64", 8, DType::i64},
                                               {"I32", 4, DType::i32},
                                               {"U8", 1, DType::u8},
                                               {"I8", 1, std::nullopt},
                                               {"BOOL", 1, std::nullopt},
                                               {"I16", 2, std::nullopt},
                                               {"U16", 2, std::nullopt},
                                               {"U32", 4, std::nullopt},
                                               {"U64", 8, std::nullopt},
                                               {"F8_E4M3", 1, std::nullopt},
                                               {"F8_E5M2", 1, std::nullopt},
                                               {"C64", 8, std::nullopt}}};

std::uint64_t unsigned_number(const Json& value, const std::string& name, const char* what) {
  if (!value.is_number_unsigned()) damaged("tensor '{}' has a {} that is no whole number", printable(name), what);
  return value.get<std::uint64_t>();
}

const Json& member(const Json& tensor, const std::string& name, const char* key, Json::value_t type) {
  const auto found = tensor.find(key);
  if (found == tensor.end() || found->type() != type) {
    damaged("tensor '{}' has no proper \"{}\"", printable(name), key);
  }
  return *found;
}

const DTypeRow& dtype_row(const std::string& dtype, const std::string& name) {
  const auto row = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeRow& r) { return r.name == dtype; });
  if (row == kDTypes.end()) damaged("tensor '{}' has the unknown dtype '{}'", printable(name), printable(dtype));
  return *row;
}

std::uint64_t bytes_of(const std::vector<std::int64_t>& shape, std::uint64_t element, const std::string& name) {
  return dense_bytes(shape, element, fmt::format("tensor '{}'", printable(name)));
}

SafetensorsEntry parse_entry(const std::string& name, const Json& tensor) {
  if (!tensor.is_object()) damaged("tensor '{}' is no JSON object", printable(name));
  SafetensorsEntry entry;
  entry.dtype = member(tensor, name, "dtype", Json::value_t::string).get<std::string>();
  const DTypeRow& row = dtype_row(entry.dtype, name);
  entry.known = row.known;
  for (const Json& extent : member(tensor, name, "shape", Json::value_t::array)) {
    const std::uint64_t value = unsigned_number(extent, name, "shape");
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      damaged("tensor '{}' has a shape whose size overflows", printable(name));
    }
    entry.shape.push_back(static_cast<std::int64_t>(value));
  }
  const Json& offsets = member(tensor, name, "data_offsets", Json::value_t::array);
  if (offsets.size() != 2) damaged("tensor '{}' has {} data_offsets instead of 2", printable(name), offsets.size());
  entry.begin = unsigned_number(offsets[0], name, "data offset");
  entry.end = unsigned_number(offsets[1], name, "data offset");
  const std::uint64_t wanted = bytes_of(entry.shape, row.bytes, name);
  if (entry.end < entry.begin || entry.end - entry.begin != wanted) {
    damaged("tensor '{}' lies at bytes {} to {}, its dtype and shape ask for {} bytes", printable(name), entry.begin,
            entry.end, wanted);
  }
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& json) {
  if (!json.is_object()) damaged("its __metadata__ is no JSON object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) damaged("its __metadata__ '{}' is no text", printable(key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

/// The tensors, in order of their offsets, must cover the data part exactly.
void check_cover(const std::map<std::string, SafetensorsEntry>& entries, std::uint64_t data_bytes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  ranges.reserve(entries.size());
  for (const auto& [name, entry] : entries) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) damaged("its tensors {} at byte {}", begin < covered ? "overlap" : "leave a gap", begin);
    covered = end;
  }
  if (covered > data_bytes) damaged("it is truncated: {} bytes of tensors, {} expected", data_bytes, covered);
  if (covered < data_bytes) damaged("{} bytes follow its last tensor", data_bytes - covered);
}

std::uint64_t header_length(std::span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) damaged("it has {} bytes, not even a header's length", bytes.size());
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  if (length > kMaxHeaderBytes) damaged("its header claims {} bytes, at most {} are allowed", length, kMaxHeaderBytes);
  const std::uint64_t present = bytes.size() - kLengthBytes;
  if (length > present) damaged("it is truncated: the header claims {} bytes, {} are there", length, present);
  return length;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path) {
  naming_file(path, "safetensors", [this] {
    const std::uint64_t length = header_length(file_.bytes());
    data_ = file_.bytes().subspan(static_cast<std::size_t>(kLengthBytes + length));
    const auto* text = reinterpret_cast<const char*>(file_.bytes().data() + kLengthBytes);
    // The format fixes the first byte so that other formats cannot pass for this one.
    const Json header =
        parse_strict_json(std::string_view(text, static_cast<std::size_t>(length)), kMaxDepth, "its header");
    for (const auto& [name, value] : header.items()) {
      if (name == "__metadata__") {
        metadata_ = parse_metadata(value);
      } else {
        entries_.emplace(name, parse_entry(name, value));
      }
    }
    check_cover(entries_, data_.size());
  });
}

const SafetensorsEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

std::span<const std::byte> SafetensorsFile::bytes(const SafetensorsEntry& entry) const {
  return data_.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.end - entry.begin));
}

const char* safetensors_dtype(DType dtype) {
  const auto row = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeRow& r) { return r.known == dtype; });
  return row->name;
}

std::string safetensors_header(const std::vector<SafetensorsHeaderEntry>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names;
  std::uint64_t offset = 0;
  for (const SafetensorsHeaderEntry& tensor : tensors) {
    check(names.insert(tensor.name).second, "[safetensors] two tensors are named '{}'", tensor.name);
    const std::uint64_t end = offset + bytes_of(tensor.shape, size_of(tensor.dtype), tensor.name);
    header[tensor.name] = {
        {"dtype", safetensors_dtype(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  // Tensors then start at a multiple of 8 and can be used where the file is mapped.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string result(kLengthBytes, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i) result[i] = static_cast<char>((text.size() >> (8 * i)) & 0xffu);
  return result + text;
}

}  // namespace graft
