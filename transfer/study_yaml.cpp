#include "transfer/study_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"

namespace graft {
namespace {

/// Whole-string conversion: no blanks, no locale, nothing left over.
template <class T>
std::optional<T> whole(const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

}  // namespace

void reject_at(const std::string& file, const YAML::Mark& mark, const std::string& message) {
  const int line = mark.is_null() ? 1 : mark.line + 1;  // yaml-cpp counts lines from 0
  // Words of the file stand in it, and yaml-cpp's own messages quote characters as they are.
  std::string one_line = message;
  std::replace_if(
      one_line.begin(), one_line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  fail(ErrorKind::data, "{}:{}: {}", file, line, one_line);
}

void YamlValue::reject(const std::string& message) const {
  reject_at(*file_, node_.Mark(), path_.empty() ? message : path_ + " " + message);
}

std::string YamlValue::shown() const {
  if (node_.IsScalar()) return "'" + node_.Scalar() + "'";
  if (node_.IsSequence()) return "a list";
  return node_.IsMap() ? "a mapping" : "empty";
}

std::string YamlValue::text() const {
  require(node_.IsScalar() && !node_.Scalar().empty(), fmt::format("is {}, expected text", shown()));
  return node_.Scalar();
}

bool YamlValue::boolean() const {
  require(is("true") || is("false"), fmt::format("is {}, expected true or false", shown()));
  return is("true");
}

std::int64_t YamlValue::integer(std::int64_t least, std::int64_t most) const {
  const auto value = node_.IsScalar() ? whole<std::int64_t>(node_.Scalar()) : std::nullopt;
  require(value.has_value(), fmt::format("is {}, expected a whole number", shown()));
  require(*value >= least, fmt::format("is {}, must be at least {}", *value, least));
  require(*value <= most, fmt::format("is {}, must be at most {}", *value, most));
  return *value;
}

std::uint64_t YamlValue::unsigned_integer() const {
  const auto value = node_.IsScalar() ? whole<std::uint64_t>(node_.Scalar()) : std::nullopt;
  require(value.has_value(), fmt::format("is {}, expected a whole number from 0 to 2^64 - 1", shown()));
  return *value;
}

double YamlValue::number() const {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const double value = node_.IsScalar() ? whole<double>(node_.Scalar()).value_or(none) : none;
  require(std::isfinite(value), fmt::format("is {}, expected a number", shown()));
  return value;
}

std::string YamlValue::one_of(std::span<const std::string> names) const {
  std::string word = text();
  if (std::find(names.begin(), names.end(), word) == names.end()) {
    reject(fmt::format("is '{}': did you mean '{}'? Known: {}", word, nearest_name(word, names),
                       fmt::join(names.begin(), names.end(), ", ")));
  }
  return word;
}

std::vector<YamlValue> YamlValue::elements() const {
  require(node_.IsSequence(), fmt::format("is {}, expected a list in [ ]", shown()));
  require(node_.size() > 0, "is an empty list, name at least one");
  std::vector<YamlValue> values;
  for (std::size_t i = 0; i < node_.size(); ++i) values.emplace_back(node_[i], fmt::format("{}[{}]", path_, i), *file_);
  return values;
}

YamlMap::YamlMap(const YamlValue& value, std::vector<std::string> known) : value_(value) {
  value.require(value.node().IsMap(),
                value.path().empty() ? "expected a mapping of keys to values" : "must be a mapping of keys to values");
  for (const auto& entry : value.node()) {
    const YAML::Mark mark = entry.first.Mark();
    if (!entry.first.IsScalar()) reject_at(value.file(), mark, "a key must be a word");
    const std::string& key = entry.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      reject_at(value.file(), mark,
                fmt::format("unknown key '{}': did you mean '{}'?", path_of(key), path_of(nearest_name(key, known))));
    }
    if (has(key)) reject_at(value.file(), mark, fmt::format("key '{}' is given twice", path_of(key)));
    entries_.emplace_back(key, entry.second);
  }
}

std::optional<YamlValue> YamlMap::find(const std::string& key) const {
  for (const auto& [name, node] : entries_) {
    if (name == key) return YamlValue(node, path_of(key), value_.file());
  }
  return std::nullopt;
}

YamlValue YamlMap::at(const std::string& key) const {
  const auto found = find(key);
  if (!found) reject_at(value_.file(), value_.node().Mark(), fmt::format("missing key '{}'", path_of(key)));
  return *found;
}

std::string YamlMap::path_of(const std::string& key) const {
  return value_.path().empty() ? key : value_.path() + "." + key;
}

namespace {

/// Where each document of a text starts. YAML::LoadAll would do, but of some texts (a comma first) yaml-cpp 0.7 makes
/// documents without end.
class DocumentMarks : public YAML::EventHandler {
 public:
  const std::vector<YAML::Mark>& marks() const { return marks_; }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override { waits_ = true; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { note(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { note(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {
    note(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    note(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    note(mark);
  }
  void OnMapEnd() override {}

 private:
  void note(const YAML::Mark& mark) {
    if (waits_) marks_.push_back(mark);
    waits_ = false;
  }

  std::vector<YAML::Mark> marks_;
  bool waits_ = false;
};

}  // namespace

YAML::Node parse_yaml(const std::string& text, const std::string& file) {
  DocumentMarks documents;
  YAML::Node first;
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(documents)) parser.HandleNextDocument(documents);
    first = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    reject_at(file, error.mark, "bad YAML: " + error.msg);
  }
  if (documents.marks().size() > 1) {
    reject_at(file, documents.marks()[1], "a second document starts here: a file is one study");
  }
  if (first.IsNull()) fail(ErrorKind::data, "{}:1: the file is empty", file);
  return first;
}

}  // namespace graft
