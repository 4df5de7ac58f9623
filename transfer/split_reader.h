#pragma once

#include <string>

#include "transfer/study.h"
#include "transfer/study_yaml.h"

namespace graft {

/// The name of a data set that graft knows.
std::string read_dataset(const YamlValue& value);

/// Reads a study file's `split` into `study`, whose images are read already. Throws Error(data) "FILE:LINE: ..." for
/// what cannot be meant: a class in both halves that split.overlap does not declare, settings that exclude each other,
/// groups that are not there.
void read_split(const YamlValue& value, Study& study);

}  // namespace graft
