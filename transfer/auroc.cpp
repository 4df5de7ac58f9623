#include "transfer/auroc.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/base/error.h"

namespace graft {

namespace {

struct Scored {
  float score;
  bool positive;
};

/// The entries that are not ignored, by ascending score.
std::vector<Scored> sorted_entries(std::span<const float> scores, std::span<const float> targets) {
  std::vector<Scored> entries;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (targets[i] < 0.0f) continue;
    check(!std::isnan(scores[i]), "[auroc] the score of entry {} is NaN", i);
    entries.push_back({scores[i], targets[i] >= 0.5f});
  }
  std::sort(entries.begin(), entries.end(), [](const Scored& a, const Scored& b) { return a.score < b.score; });
  return entries;
}

}  // namespace

std::optional<double> auroc(std::span<const float> scores, std::span<const float> targets) {
  check(scores.size() == targets.size(), "[auroc] there are {} scores and {} targets", scores.size(), targets.size());
  const std::vector<Scored> entries = sorted_entries(scores, targets);
  double positives = 0.0;
  double negatives = 0.0;  // below the scores at hand
  double won = 0.0;        // pairs whose positive scores higher, ties half
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t end = first;
    double tied_positives = 0.0;
    for (; end < entries.size() && entries[end].score == entries[first].score; ++end) {
      tied_positives += entries[end].positive ? 1.0 : 0.0;
    }
    const double tied_negatives = static_cast<double>(end - first) - tied_positives;
    won += tied_positives * (negatives + tied_negatives / 2.0);
    positives += tied_positives;
    negatives += tied_negatives;
    first = end;
  }
  if (positives == 0.0 || negatives == 0.0) return std::nullopt;
  return won / (positives * negatives);
}

LabelAurocs auroc_by_label(std::span<const float> scores, std::span<const float> targets, std::int64_t labels) {
  check(labels >= 1, "[auroc] there are {} labels, there must be at least one", labels);
  check(scores.size() == targets.size() && scores.size() % static_cast<std::size_t>(labels) == 0,
        "[auroc] {} scores and {} targets are no rows of {} labels", scores.size(), targets.size(), labels);
  const auto columns = static_cast<std::size_t>(labels);
  LabelAurocs result;
  double sum = 0.0;
  double defined = 0.0;
  std::vector<float> column_scores(scores.size() / columns);
  std::vector<float> column_targets(column_scores.size());
  for (std::size_t label = 0; label < columns; ++label) {
    for (std::size_t row = 0; row < column_scores.size(); ++row) {
      column_scores[row] = scores[row * columns + label];
      column_targets[row] = targets[row * columns + label];
    }
    result.labels.push_back(auroc(column_scores, column_targets));
    if (!result.labels.back()) continue;
    sum += *result.labels.back();
    defined += 1.0;
  }
  if (defined > 0.0) result.mean = sum / defined;
  return result;
}

}  // namespace graft
