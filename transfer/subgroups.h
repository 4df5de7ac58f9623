#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "transfer/manifest.h"
#include "transfer/plan.h"

namespace graft {

/// A file that divides a study's test images into subgroups, such as where or in what light each was taken.
struct Subgroups {
  std::string file;                      ///< its name, without folders
  std::string text;                      ///< as it was read
  std::vector<std::string> names;        ///< sorted
  std::vector<std::int64_t> of_image{};  ///< of each image of the test set: which of `names`, or -1
  bool empty() const { return names.empty(); }
};

/// Reads CSV text (RFC 4180) of two columns. With the head `image,subgroup` a line names an image file by its path
/// below the test folder (`cat/1.jpg`), as data sets of files want it; with `index,subgroup` by its place in the test
/// set from 0, as all others do. Every image of `classes` needs a line; others may have one. Throws Error(data)
/// "NAME:LINE: ..." for anything else, an image that is unknown or listed twice, and for one subgroup alone.
Subgroups parse_subgroups(const std::string& text, const std::string& name, const Dataset& test,
                          std::span<const std::int64_t> classes);

/// The subgroups of a study's test images; none where it names no file. The file is looked for as find_named_file does,
/// then as the copy in the results folder. Throws Error(data) as parse_subgroups, and if it is nowhere.
Subgroups find_subgroups(const Plan& plan, const Dataset& test, const std::filesystem::path& study_file,
                         const std::filesystem::path& study_folder);
/// Those of the copy that a results folder keeps.
Subgroups kept_subgroups(const Plan& plan, const Dataset& test, const std::filesystem::path& study_folder);

/// True iff right answers of a run are counted by subgroup: it is tested on a target half of the study's own data set.
bool has_subgroups(const RunSpec& run, const Study& study);
/// Of each of `items` of the test set its subgroup.
std::vector<std::int64_t> subgroups_of(const Subgroups& subgroups, std::span<const std::int64_t> items);

/// Where a results folder keeps its copy: FOLDER/subgroups.csv.
std::filesystem::path subgroups_path(const std::filesystem::path& study_folder);
/// Writes the copy; of no subgroups nothing.
void keep_subgroups(const Subgroups& subgroups, const std::filesystem::path& study_folder);
/// What manifest.json says of them.
std::optional<ManifestSubgroups> manifest_entry(const Subgroups& subgroups);
/// "subgroups: dark 300, bright 297 test images of light.csv", "" for none: in words for `study plan`.
std::string subgroups_line(const Subgroups& subgroups);

}  // namespace graft
