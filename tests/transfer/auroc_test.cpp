#include "transfer/auroc.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace graft {
namespace {

using Floats = std::vector<float>;

TEST(Auroc, OfCasesByHand) {
  // The example of scikit-learn's roc_auc_score: of four pairs three are in order.
  EXPECT_EQ(auroc(Floats{0.1f, 0.4f, 0.35f, 0.8f}, Floats{0, 0, 1, 1}), 0.75);
  EXPECT_EQ(auroc(Floats{1, 2, 3, 4}, Floats{0, 0, 1, 1}), 1.0);
  EXPECT_EQ(auroc(Floats{4, 3, 2, 1}, Floats{0, 0, 1, 1}), 0.0);
  EXPECT_EQ(auroc(Floats{7, 7, 7, 7, 7}, Floats{0, 1, 1, 0, 0}), 0.5);
  // Ties within and across classes: pairs (2 over 1), (2 beside 2), (2 beside 2), (3 over all three).
  EXPECT_EQ(auroc(Floats{1, 2, 2, 2, 3}, Floats{0, 0, 0, 1, 1}), (1.0 + 0.5 + 0.5 + 3.0) / 6.0);
  EXPECT_EQ(auroc(Floats{-INFINITY, 0, INFINITY}, Floats{0, 1, 1}), 1.0);
}

TEST(Auroc, IgnoresNegativeTargets) {
  EXPECT_EQ(auroc(Floats{0.1f, 9, 0.4f, -9, 0.35f, 0.8f, NAN}, Floats{0, -1, 0, -1, 1, 1, -1}), 0.75);
}

TEST(Auroc, IsNothingWithoutBothClasses) {
  EXPECT_FALSE(auroc(Floats{1, 2}, Floats{1, 1}));
  EXPECT_FALSE(auroc(Floats{1, 2}, Floats{0, 0}));
  EXPECT_FALSE(auroc(Floats{1, 2}, Floats{0, -1}));
  EXPECT_FALSE(auroc({}, {}));
}

// The definition itself: the share of pairs that are in order, ties half.
TEST(Auroc, IsTheShareOfPairsInOrder) {
  const RandomStream random{.seed = 3, .stream = stream_of("auroc")};
  for (std::uint64_t round = 0; round < 20; ++round) {
    Floats scores;
    Floats targets;
    for (std::uint64_t i = 0; i < 97; ++i) {
      scores.push_back(static_cast<float>(random.below(round, 2 * i, 12)));  // many ties
      targets.push_back(static_cast<float>(random.below(round, 2 * i + 1, 3)) - 1.0f);
    }
    double pairs = 0.0;
    double won = 0.0;
    for (std::size_t p = 0; p < scores.size(); ++p) {
      for (std::size_t n = 0; n < scores.size(); ++n) {
        if (targets[p] != 1.0f || targets[n] != 0.0f) continue;
        pairs += 1.0;
        won += scores[p] > scores[n] ? 1.0 : scores[p] == scores[n] ? 0.5 : 0.0;
      }
    }
    const std::optional<double> area = auroc(scores, targets);
    ASSERT_TRUE(area);
    EXPECT_NEAR(*area, won / pairs, 1e-15);
  }
}

TEST(Auroc, ByLabelLeavesOutLabelsWithoutBothClasses) {
  // Labels: 3 of 4 pairs in order; no positive; reversed.
  const Floats scores{0.1f, 1, 4, 0.4f, 2, 3, 0.35f, 3, 2, 0.8f, 4, 1};
  const Floats targets{0, 0, 0, 0, 0, 0, 1, 0, 1, 1, -1, 1};
  const LabelAurocs result = auroc_by_label(scores, targets, 3);
  ASSERT_EQ(result.labels.size(), 3u);
  EXPECT_EQ(result.labels[0], 0.75);
  EXPECT_FALSE(result.labels[1]);
  EXPECT_EQ(result.labels[2], 0.0);
  EXPECT_EQ(result.mean, 0.375);
  EXPECT_FALSE(auroc_by_label({}, {}, 2).mean);
}

TEST(Auroc, RefusesWhatDoesNotFit) {
  EXPECT_THROW(auroc(Floats{1, 2}, Floats{1}), Error);
  EXPECT_THROW(auroc(Floats{1, NAN}, Floats{1, 0}), Error);
  EXPECT_THROW(auroc_by_label(Floats{1, 2, 3}, Floats{1, 0, 1}, 2), Error);
  EXPECT_THROW(auroc_by_label(Floats{1, 2}, Floats{1, 0}, 0), Error);
}

}  // namespace
}  // namespace graft
