#pragma once

#include <cstdint>
#include <vector>

#include "transfer/splits.h"
#include "transfer/study_data.h"

namespace graft {

/// How a search divides the target's training images; the rest of them trains.
struct SearchShares {
  double validation = 0.2;  ///< that rungs are ranked on
  double held_out = 0.2;    ///< that decides, and that no rung has seen
};

/// Items of the target's training set, each list sorted.
struct SearchParts {
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> validation;
  std::vector<std::int64_t> held_out;
};

/// Divides the images that choose_items(train, classes, per_class, seed) gives: those of each class by a permutation
/// keyed by (seed, "search", class name), its first part held out, the next for validation. Throws Error(data) naming a
/// class with too few images for three parts.
SearchParts divide_target(const Dataset& train, const std::vector<std::int64_t>& classes, std::int64_t per_class,
                          std::uint64_t seed, const SearchShares& shares);

/// What rungs train and are ranked on: as `whole`, but the target's training set is the training part and its test set
/// the validation part. Where the source is taken from the target's own data set, its training set lacks what is
/// validated and held out: classes may be in both halves.
StudyData ranking_data(const StudyData& whole, const SearchParts& parts);
/// What decides: trained on the training and validation parts, tested on what is held out; the source is the same.
StudyData decision_data(const StudyData& whole, const SearchParts& parts);

}  // namespace graft
