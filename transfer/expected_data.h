#pragma once

#include "transfer/study_data.h"

namespace graft {

/// The data set that a study says it expects, without its images: the classes that its splits name, sorted, and as many
/// images as `expects` says, spread evenly over them. Whoever reads an image meets Error(data). Throws Error(data) if
/// the study does not say what it expects, names no classes, or takes its source from elsewhere.
StudyData expected_data(const Study& study);

}  // namespace graft
