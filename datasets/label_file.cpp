#include "datasets/label_file.h"

#include <charconv>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "datasets/image_folder.h"
#include "engine/base/error.h"
#include "engine/io/file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

/// Reads a label file line by line and says where it fails.
class LabelReader {
 public:
  LabelReader(const fs::path& file, const fs::path& root) : file_(file), root_(root), lines_(read_text(file)) {}

  ImageFiles read() {
    std::vector<std::string> head = next().value_or(std::vector<std::string>{});
    if (head.size() < 2) refuse("the first line wants a name for the images and one for each class");
    head.erase(head.begin());
    check_classes(head);
    ImageFiles files{.root = root_, .files = {}, .labels = {}, .class_names = std::move(head)};
    std::set<std::string> names;
    while (std::optional<std::vector<std::string>> cells = next()) {
      if (cells->size() != files.class_names.size() + 1) {
        refuse("{} cells, the first line has {}", cells->size(), files.class_names.size() + 1);
      }
      std::string& name = cells->front();
      if (!fs::is_regular_file(root_ / name)) refuse("{} is not there", (root_ / name).string());
      if (!names.insert(name).second) refuse("'{}' is named twice", name);
      for (std::size_t i = 1; i < cells->size(); ++i) files.targets.push_back(target((*cells)[i]));
      files.files.push_back(std::move(name));
    }
    if (files.files.empty()) refuse("no image follows");
    return files;
  }

 private:
  template <class... Values>
  [[noreturn]] void refuse(fmt::format_string<Values...> form, Values&&... values) const {
    fail(ErrorKind::data, "{}:{}: {}", file_.string(), number_, fmt::format(form, std::forward<Values>(values)...));
  }

  /// The cells of the next line that has any.
  std::optional<std::vector<std::string>> next() {
    for (std::string line; std::getline(lines_, line);) {
      ++number_;
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) return cells_of(line);
    }
    return std::nullopt;
  }

  std::vector<std::string> cells_of(const std::string& line) const {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += line[++i];
      } else if (c == '"' && (quoted || cells.back().empty())) {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    if (quoted) refuse("a quote is not closed");
    return cells;
  }

  void check_classes(const std::vector<std::string>& classes) const {
    std::set<std::string> seen;
    for (const std::string& name : classes) {
      if (name.empty()) refuse("a class has no name");
      if (!seen.insert(name).second) refuse("class '{}' is named twice", name);
    }
  }

  float target(const std::string& cell) const {
    if (cell.empty()) return -1.0f;
    float value = 0.0f;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const bool whole = error == std::errc() && end == cell.data() + cell.size();
    if (!whole || !((value >= 0.0f && value <= 1.0f) || value == -1.0f)) {
      refuse("'{}' is no label: 1, 0, or -1 where it is not known", cell);
    }
    return value;
  }

  fs::path file_;
  fs::path root_;
  std::istringstream lines_;
  int number_ = 0;
};

}  // namespace

ImageFiles read_label_file(const fs::path& file, const fs::path& root) { return LabelReader(file, root).read(); }

}  // namespace graft
