#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// What a study asks of its data set and model and cannot have: each throws Error(data) naming the key and both values.

/// Indices of classes by name; an unknown name gives the nearest.
std::vector<std::int64_t> class_indices(const std::vector<std::string>& names,
                                        const std::vector<std::string>& class_names, const std::string& key,
                                        const std::string& dataset);
/// No cut beyond the model's stages.
void check_cuts(const Study& study, int stage_count);
/// Every class of every split has the images asked for in both parts, and every half fills one batch.
void check_samples(const Study& study, const StudyData& data, const std::vector<Split>& splits);

}  // namespace graft
