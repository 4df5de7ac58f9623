#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace graft {

/// The area under the receiver operating characteristic: the probability that a positive scores above a negative, ties
/// counting half (the Mann-Whitney statistic of ranks; Hanley and McNeil 1982). A target of at least 0.5 is a positive,
/// a smaller one a negative, and one below 0 is ignored, as sigmoid_cross_entropy does. Nothing where positives or
/// negatives are lacking. Throws Error if the lengths differ or a score that counts is NaN.
std::optional<double> auroc(std::span<const float> scores, std::span<const float> targets);

/// What several labels come to.
struct LabelAurocs {
  std::vector<std::optional<double>> labels;
  std::optional<double> mean;  ///< over the labels that have one; nothing if none has
  bool operator==(const LabelAurocs&) const = default;
};
/// scores and targets [images, labels], row by row. Throws Error as above, or if rows are not whole.
LabelAurocs auroc_by_label(std::span<const float> scores, std::span<const float> targets, std::int64_t labels);

}  // namespace graft
