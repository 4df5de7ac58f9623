#include "transfer/successive_halving.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/base/philox.h"

namespace graft {
namespace {

std::vector<std::string> names(const std::vector<RungScore>& scores, const std::vector<std::size_t>& chosen) {
  std::vector<std::string> all;
  for (const std::size_t i : chosen) all.push_back(scores[i].name);
  return all;
}

using Names = std::vector<std::string>;

/// Whether `a` goes before `b`, written down without a sort key.
bool beats(const RungScore& a, const RungScore& b) {
  if (a.failed || b.failed) return b.failed && (!a.failed || a.correct > b.correct);
  if (a.trained != b.trained) return a.trained;
  if (a.correct != b.correct) return a.correct > b.correct;
  if (a.cost < b.cost || b.cost < a.cost) return a.cost < b.cost;
  return a.name < b.name;
}

/// By counting: a candidate stays iff fewer than count / eta, rounded up, go before it.
std::set<std::string> kept_by_counting(const std::vector<RungScore>& scores, int eta) {
  std::set<std::string> kept;
  for (const RungScore& one : scores) {
    const auto ahead =
        std::count_if(scores.begin(), scores.end(), [&](const auto& other) { return beats(other, one); });
    if (!one.failed && ahead * eta < std::ssize(scores)) kept.insert(one.name);
  }
  return kept;
}

TEST(SuccessiveHalving, KeepsWhatCountingKeeps) {
  const RandomStream random{.seed = 5, .stream = stream_of("halving")};
  for (std::uint64_t trial = 0; trial < 500; ++trial) {
    const auto count = 1 + random.below(trial, 0, 30);
    const auto eta = static_cast<int>(2 + random.below(trial, 1, 3));
    std::vector<RungScore> scores;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto draw = [&](std::uint64_t what, std::uint64_t bound) {
        return random.below(trial, 2 + 8 * i + what, bound);
      };
      scores.push_back({.name = "arm" + std::to_string(i),
                        .correct = static_cast<std::int64_t>(draw(0, 6)),  // few values: many ties
                        .cost = static_cast<double>(draw(1, 3)),
                        .failed = draw(2, 8) == 0,
                        .trained = draw(3, 5) != 0});
    }
    const std::vector<std::string> kept = names(scores, survivors(scores, eta));
    EXPECT_EQ(std::set<std::string>(kept.begin(), kept.end()), kept_by_counting(scores, eta)) << "trial " << trial;
    for (std::size_t i = 1; i < kept.size(); ++i) {
      const auto at = [&](const std::string& name) {
        return *std::find_if(scores.begin(), scores.end(), [&](const RungScore& s) { return s.name == name; });
      };
      EXPECT_TRUE(beats(at(kept[i - 1]), at(kept[i]))) << "trial " << trial;
    }
  }
}

TEST(SuccessiveHalving, TiesGoToTheCheaperThenToTheName) {
  const std::vector<RungScore> scores{{.name = "c", .correct = 8, .cost = 2.0},
                                      {.name = "b", .correct = 8, .cost = 1.0},
                                      {.name = "a", .correct = 8, .cost = 1.0},
                                      {.name = "d", .correct = 9, .cost = 5.0}};
  EXPECT_EQ(names(scores, ranking(scores)), (Names{"d", "a", "b", "c"}));
  EXPECT_EQ(names(scores, survivors(scores, 2)), (Names{"d", "a"}));
}

TEST(SuccessiveHalving, FailuresAreNeverKeptAndWhatDidNotTrainComesAfterWhatDid) {
  const std::vector<RungScore> scores{{.name = "failed", .failed = true},
                                      {.name = "guessing", .correct = 9, .trained = false},
                                      {.name = "poor", .correct = 3},
                                      {.name = "good", .correct = 7}};
  EXPECT_EQ(names(scores, ranking(scores)), (Names{"good", "poor", "guessing", "failed"}));
  EXPECT_EQ(names(scores, survivors(scores, 2)), (Names{"good", "poor"}));
  const std::vector<RungScore> one_is_left{{.name = "a", .failed = true}, {.name = "b", .trained = false}};
  EXPECT_EQ(names(one_is_left, survivors(one_is_left, 2)), (Names{"b"}));
  const std::vector<RungScore> none{{.name = "a", .failed = true}, {.name = "b", .failed = true}};
  EXPECT_TRUE(survivors(none, 2).empty());
}

TEST(SuccessiveHalving, OneCandidateIsKept) {
  const std::vector<RungScore> one{{.name = "base"}};
  EXPECT_EQ(survivors(one, 3), (std::vector<std::size_t>{0}));
  EXPECT_TRUE(survivors(std::vector<RungScore>{}, 3).empty());
}

std::vector<std::pair<std::size_t, std::int64_t>> pairs(const std::vector<Rung>& rungs) {
  std::vector<std::pair<std::size_t, std::int64_t>> all;
  for (const Rung& rung : rungs) all.emplace_back(rung.candidates, rung.length);
  return all;
}

using Pairs = std::vector<std::pair<std::size_t, std::int64_t>>;

TEST(SuccessiveHalving, RungsGrowAsTheirCandidatesFall) {
  EXPECT_EQ(pairs(rungs_of(27, 3, 1, 100)), (Pairs{{27, 1}, {9, 3}, {3, 9}}));
  EXPECT_EQ(pairs(rungs_of(13, 3, 1, 10)), (Pairs{{13, 1}, {5, 3}, {2, 9}}));
  EXPECT_EQ(pairs(rungs_of(13, 2, 1, 10)), (Pairs{{13, 1}, {7, 2}, {4, 4}, {2, 8}}));
  EXPECT_EQ(pairs(rungs_of(13, 3, 4, 10)), (Pairs{{13, 4}, {5, 10}})) << "more than the full length is not trained";
  EXPECT_EQ(pairs(rungs_of(1, 3, 2, 10)), (Pairs{{1, 2}}));
  EXPECT_EQ(rung_length(3, 3, 60, 1000), 1000) << "and nothing overflows";
}

TEST(SuccessiveHalving, ByDefaultTheLastRungIsAboutAFullTraining) {
  EXPECT_EQ(default_length(13, 3, 10), 1);
  EXPECT_EQ(default_length(13, 3, 90), 10);
  EXPECT_EQ(default_length(13, 3, 2), 1);
  EXPECT_EQ(default_length(2, 3, 10), 10);
  for (std::size_t candidates = 2; candidates < 60; ++candidates) {
    for (const int eta : {2, 3, 4}) {
      const std::int64_t least = default_length(candidates, eta, 1000);
      const auto rungs = rungs_of(candidates, eta, least, 1000);
      EXPECT_LE(rungs.back().length, 1000);
      EXPECT_GT(rungs.back().length * eta, 1000 / eta) << candidates << " by " << eta;
      EXPECT_LE(kept_of(rungs.back().candidates, eta), 1u) << "the rungs come to one candidate";
    }
  }
}

}  // namespace
}  // namespace graft
