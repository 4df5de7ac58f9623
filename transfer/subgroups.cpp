#include "transfer/subgroups.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/csv.h"
#include "transfer/named_file.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSubgroups = 1000;  // more is a column of something else

/// How a file names images.
class ImageNames {
 public:
  explicit ImageNames(const Dataset& test) : test_(test) {
    for (std::int64_t i = 0; i < test.size() && are_files(); ++i) index_of_.emplace(test.file_name(i), i);
  }

  bool are_files() const { return test_.size() > 0 && !test_.file_name(0).empty(); }

  /// -1 for one that there is not.
  std::int64_t find(const std::string& name) const {
    if (are_files()) {
      const auto found = index_of_.find(name);
      return found == index_of_.end() ? -1 : found->second;
    }
    std::int64_t index = -1;
    const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool whole = code == std::errc() && end == name.data() + name.size();
    return whole && index < test_.size() ? index : -1;
  }

  std::string shown(std::int64_t index) const {
    return are_files() ? fmt::format("image '{}'", test_.file_name(index)) : fmt::format("image {}", index);
  }

  std::string unknown(const std::string& name) const {
    if (!are_files()) {
      return fmt::format("index '{}' is no whole number from 0 to {}, the test images", name, test_.size() - 1);
    }
    std::vector<std::string> known;
    for (const auto& [file, index] : index_of_) known.push_back(file);
    return fmt::format("there is no test image '{}': did you mean '{}'?", name, nearest_name(name, known));
  }

 private:
  const Dataset& test_;
  std::map<std::string, std::int64_t> index_of_;
};

class SubgroupReader {
 public:
  SubgroupReader(const std::string& text, const std::string& name, const Dataset& test)
      : name_(name), test_(test), images_(test), records_(parse_csv(text, name)) {
    read_.file = fs::path(name).filename().string();
    read_.text = text;
  }

  Subgroups read(std::span<const std::int64_t> classes) {
    check_head();
    const auto images = static_cast<std::size_t>(test_.size());
    std::vector<std::string> subgroup(images);
    std::vector<std::int64_t> line(images, 0);
    for (std::size_t i = 1; i < records_.size(); ++i) read_line(records_[i], subgroup, line);
    number(subgroup, line);
    check_whole(classes);
    return std::move(read_);
  }

 private:
  template <class... Args>
  [[noreturn]] void reject(std::int64_t line, fmt::format_string<Args...> text, Args&&... args) const {
    fail(ErrorKind::data, "{}:{}: {}", name_, line, fmt::format(text, std::forward<Args>(args)...));
  }

  void check_head() const {
    const std::string wanted = images_.are_files() ? "image,subgroup" : "index,subgroup";
    const std::string other = images_.are_files() ? "index,subgroup" : "image,subgroup";
    const std::string head = records_.empty() ? "" : fmt::format("{}", fmt::join(records_.front().cells, ","));
    if (head == wanted) return;
    if (head == other) {
      reject(records_.front().line, "begins with '{}', but the test images are {}: begin with '{}'", other,
             images_.are_files() ? "files: name each by its path below the test folder"
                                 : "no files: number them from 0 in the order of the test set",
             wanted);
    }
    reject(records_.empty() ? 1 : records_.front().line, "begins with '{}': begin with '{}'", head, wanted);
  }

  void read_line(const CsvRecord& record, std::vector<std::string>& subgroup, std::vector<std::int64_t>& line) const {
    if (record.cells.size() != 2) {
      reject(record.line, "has {} cells, not 2: put a cell that holds a comma in quotes", record.cells.size());
    }
    const std::string& name = record.cells[1];
    const std::int64_t index = images_.find(record.cells[0]);
    if (index < 0) reject(record.line, "{}", images_.unknown(record.cells[0]));
    const auto at = static_cast<std::size_t>(index);
    if (line[at] > 0) reject(record.line, "{} stands in line {} already: keep one", images_.shown(index), line[at]);
    if (name.empty()) reject(record.line, "{} has no subgroup: name one, such as other", images_.shown(index));
    if (name.front() == ' ' || name.back() == ' ') {
      reject(record.line, "subgroup '{}' begins or ends with a blank: remove it", name);
    }
    subgroup[at] = name;
    line[at] = record.line;
  }

  void number(const std::vector<std::string>& subgroup, const std::vector<std::int64_t>& line) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < subgroup.size(); ++i) {
      if (line[i] > 0) names.insert(subgroup[i]);
    }
    if (names.size() > kMostSubgroups) {
      reject(1, "has {} subgroups of {} images, at most {} can be told apart: is it a column of something else?",
             names.size(), records_.size() - 1, kMostSubgroups);
    }
    read_.names.assign(names.begin(), names.end());
    for (std::size_t i = 0; i < subgroup.size(); ++i) {
      const auto found = std::lower_bound(read_.names.begin(), read_.names.end(), subgroup[i]);
      read_.of_image.push_back(line[i] > 0 ? found - read_.names.begin() : -1);
    }
  }

  void check_whole(std::span<const std::int64_t> classes) const {
    std::set<std::int64_t> present;
    std::int64_t missing = 0;
    std::int64_t first = 0;
    for (std::int64_t i = test_.size(); i-- > 0;) {
      if (std::find(classes.begin(), classes.end(), test_.label(i)) == classes.end()) continue;
      const std::int64_t subgroup = read_.of_image[static_cast<std::size_t>(i)];
      present.insert(subgroup);
      if (subgroup >= 0) continue;
      first = i;
      ++missing;
    }
    const std::int64_t last = records_.back().line;
    if (missing > 0) {
      reject(last, "ends without {}{}, which the study tests: give each a subgroup, such as other",
             images_.shown(first), missing == 1 ? "" : fmt::format(" and {} more", missing - 1));
    }
    if (present.size() < 2) {
      reject(last, "has all images that the study tests in one subgroup, '{}': there is nothing to compare",
             read_.names.front());
    }
  }

  const std::string& name_;
  const Dataset& test_;
  ImageNames images_;
  std::vector<CsvRecord> records_;
  Subgroups read_;
};

/// Every class that a network counted by subgroup is tested on.
std::vector<std::int64_t> tested_classes(const Plan& plan) {
  std::set<std::int64_t> classes;
  for (const RunSpec& run : plan.runs) {
    if (!has_subgroups(run, plan.study)) continue;
    const std::vector<std::int64_t>& half = target_classes(run);
    classes.insert(half.begin(), half.end());
  }
  return {classes.begin(), classes.end()};
}

Subgroups read_file(const fs::path& file, const Plan& plan, const Dataset& test) {
  return parse_subgroups(read_text(file), file.string(), test, tested_classes(plan));
}

}  // namespace

Subgroups parse_subgroups(const std::string& text, const std::string& name, const Dataset& test,
                          std::span<const std::int64_t> classes) {
  return SubgroupReader(text, name, test).read(classes);
}

Subgroups find_subgroups(const Plan& plan, const Dataset& test, const fs::path& study_file,
                         const fs::path& study_folder) {
  const std::string& given = plan.study.subgroups;
  if (given.empty()) return {};
  const fs::path file = find_named_file(given, study_file);
  if (!file.empty()) return read_file(file, plan, test);
  if (!fs::exists(subgroups_path(study_folder))) {
    fail(ErrorKind::data, "subgroups {}: no such file, nor {}", given, beside(given, study_file).string());
  }
  Subgroups subgroups = kept_subgroups(plan, test, study_folder);
  subgroups.file = fs::path(given).filename().string();
  return subgroups;
}

Subgroups kept_subgroups(const Plan& plan, const Dataset& test, const fs::path& study_folder) {
  return read_file(subgroups_path(study_folder), plan, test);
}

bool has_subgroups(const RunSpec& run, const Study& study) {
  return run.target == "B" || (study.both_directions && study.source_dataset.empty());
}

std::vector<std::int64_t> subgroups_of(const Subgroups& subgroups, std::span<const std::int64_t> items) {
  std::vector<std::int64_t> chosen;
  chosen.reserve(items.size());
  for (const std::int64_t item : items) chosen.push_back(subgroups.of_image.at(static_cast<std::size_t>(item)));
  return chosen;
}

fs::path subgroups_path(const fs::path& study_folder) { return study_folder / "subgroups.csv"; }

void keep_subgroups(const Subgroups& subgroups, const fs::path& study_folder) {
  if (!subgroups.empty()) write_text_atomically(subgroups_path(study_folder), subgroups.text);
}

std::optional<ManifestSubgroups> manifest_entry(const Subgroups& subgroups) {
  if (subgroups.empty()) return std::nullopt;
  return ManifestSubgroups{.file = subgroups.file, .names = subgroups.names, .sha256 = sha256_hex(subgroups.text)};
}

std::string subgroups_line(const Subgroups& subgroups) {
  if (subgroups.empty()) return "";
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < subgroups.names.size(); ++i) {
    const auto images = std::count(subgroups.of_image.begin(), subgroups.of_image.end(), static_cast<std::int64_t>(i));
    parts.push_back(fmt::format("{} {}", subgroups.names[i], images));
  }
  return fmt::format("subgroups, test images of {}: {}\n", subgroups.file, fmt::join(parts, ", "));
}

}  // namespace graft
