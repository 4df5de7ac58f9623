#pragma once

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// A value of a study file that knows where it stands. Every reading throws Error(data) "FILE:LINE: PATH ..." unless
/// the value is exactly what was asked for.
class YamlValue {
 public:
  YamlValue(const YAML::Node& node, std::string path, const std::string& file)
      : node_(node), path_(std::move(path)), file_(&file) {}

  std::string text() const;
  bool boolean() const;
  /// A whole number in [least, most].
  std::int64_t integer(std::int64_t least, std::int64_t most) const;
  std::uint64_t unsigned_integer() const;
  /// A finite number; the caller checks its range with `require`.
  double number() const;
  /// One of `names`; an unknown word names the nearest.
  std::string one_of(std::span<const std::string> names) const;
  /// The elements of a sequence of at least one.
  std::vector<YamlValue> elements() const;

  bool is(const char* scalar) const { return node_.IsScalar() && node_.Scalar() == scalar; }
  const YAML::Node& node() const { return node_; }
  const std::string& path() const { return path_; }
  const std::string& file() const { return *file_; }
  /// Throws Error(data) "FILE:LINE: PATH MESSAGE".
  [[noreturn]] void reject(const std::string& message) const;
  void require(bool condition, const std::string& message) const {
    if (!condition) reject(message);
  }

 private:
  std::string shown() const;

  YAML::Node node_;
  std::string path_;
  const std::string* file_;  ///< outlives the value
};

/// A mapping with a closed set of keys: an unknown or repeated key throws on construction.
class YamlMap {
 public:
  YamlMap(const YamlValue& value, std::vector<std::string> known);

  bool has(const std::string& key) const { return find(key).has_value(); }
  std::optional<YamlValue> find(const std::string& key) const;
  /// Throws Error(data) for a missing key.
  YamlValue at(const std::string& key) const;

 private:
  std::string path_of(const std::string& key) const;

  YamlValue value_;
  std::vector<std::pair<std::string, YAML::Node>> entries_;
};

/// A list of at least one element without repetitions, each read by `read`.
template <class Read>
auto distinct(const YamlValue& list, Read read) {
  std::vector<decltype(read(list))> values;
  for (const YamlValue& element : list.elements()) {
    auto value = read(element);
    if (std::find(values.begin(), values.end(), value) != values.end()) {
      element.reject("is '" + element.text() + "' a second time");
    }
    values.push_back(std::move(value));
  }
  return values;
}

/// The one document of a text. Throws Error(data) with the line for bad syntax, no document or several.
YAML::Node parse_yaml(const std::string& text, const std::string& file);
/// Throws Error(data) "FILE:LINE: MESSAGE" for a place in a file.
[[noreturn]] void reject_at(const std::string& file, const YAML::Mark& mark, const std::string& message);

}  // namespace graft
