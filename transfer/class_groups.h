#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "transfer/study.h"
#include "transfer/study_yaml.h"

namespace graft {

/// The groups of a study file: a mapping of names to lists of classes, or the name of a file that holds one under
/// `groups`, beside a line `source` that tells where it comes from. A file is looked for from the current directory,
/// then beside the study file. Throws Error(data) naming the line for a class that is in two groups.
std::vector<ClassGroup> read_class_groups(const YamlValue& value);

/// The file that a value of a study file names, as find_named_file finds it. Throws Error(data) naming the line if it
/// is nowhere.
std::filesystem::path find_named_file(const YamlValue& value);

}  // namespace graft
