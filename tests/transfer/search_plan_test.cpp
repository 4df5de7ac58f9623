#include "transfer/search_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/transfer/search_fixture.h"

namespace graft::testing {
namespace {

std::vector<std::string> names_of(const std::vector<SearchArm>& arms) {
  std::vector<std::string> names;
  for (const SearchArm& arm : arms) names.push_back(arm.name());
  return names;
}

std::set<std::string> ids_of(const SearchPhase& phase) {
  std::set<std::string> ids;
  for (const RunSpec& run : phase.runs) ids.insert(run.id);
  return ids;
}

using Names = std::vector<std::string>;

void expect_error(const SearchedStudy& study, const std::string& split, ErrorKind kind, const std::string& part) {
  try {
    SearchPlans(prepared_study(study), 1, split, {});
    FAIL() << "no error with " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(SearchPlan, CandidatesAreBaseAndWhatCarriesLayersOverFromTheSource) {
  const SearchPlans plans(prepared_study({.more = "fine_tuning: {policies: [plain, lp-ft], lp_ft_epochs: 1}\n"}), 1, "",
                          {});
  EXPECT_EQ(names_of(plans.arms()), (Names{"base", "AnB at cut 1", "AnB+ at cut 1", "AnB+ lp-ft at cut 1",
                                           "AnB at cut 3", "AnB+ at cut 3", "AnB+ lp-ft at cut 3"}));
  EXPECT_EQ(plans.not_searched(), Names{"BnB"});
  const SearchPlans without_base(prepared_study({.treatments = "[AnB]"}), 1, "", {});
  EXPECT_EQ(names_of(without_base.arms()), (Names{"base", "AnB at cut 1", "AnB at cut 3"}));
}

TEST(SearchPlan, RungsUseASeedThatTheStudyHasNotAndTheDecisionAllOfTheStudys) {
  const SearchPlans plans(prepared_study({}), 1, "", {});
  EXPECT_EQ(plans.seed(), 2u);
  const SearchPhase rung = plans.rung(plans.arms(), 1);
  EXPECT_EQ(rung.runs.size(), 5u);
  for (const RunSpec& run : rung.runs) EXPECT_EQ(run.seed, 2u);
  std::map<std::uint64_t, int> seeds;
  for (const RunSpec& run : plans.decision({SearchArm{}, plans.arms()[1]}).runs) ++seeds[run.seed];
  EXPECT_EQ(seeds, (std::map<std::uint64_t, int>{{0, 2}, {1, 2}}));
}

TEST(SearchPlan, ABaseNetworkOfTheSourceIsOneForAllPhases) {
  const SearchPlans plans(prepared_study({}), 1, "", {});
  const std::set<std::string> searched = ids_of(plans.source({plans.seed()}));
  ASSERT_EQ(searched.size(), 1u);
  for (const std::int64_t length : {1, 2, 4}) {
    for (const RunSpec& run : plans.rung(plans.arms(), length).runs) {
      EXPECT_EQ(run.depends_on, run.cut == 0 ? "" : *searched.begin());
    }
  }
  std::set<std::string> wanted;
  for (const RunSpec& run : plans.decision(plans.arms()).runs) wanted.insert(run.depends_on);
  wanted.erase("");
  EXPECT_EQ(wanted, ids_of(plans.source({0, 1})));
  const SearchPhase source = plans.source({plans.seed()});
  EXPECT_EQ(training_of(source.study, source.runs.front()).epochs, 2) << "the study's own training";
}

TEST(SearchPlan, ANetworkKeepsItsIdWhenOtherArmsGoAndChangesItWithLengthAndPart) {
  const SearchPlans plans(prepared_study({}), 1, "", {});
  const std::set<std::string> all = ids_of(plans.rung(plans.arms(), 2));
  const std::set<std::string> some = ids_of(plans.rung({plans.arms()[0], plans.arms()[3]}, 2));
  EXPECT_EQ(some.size(), 2u);
  for (const std::string& id : some) EXPECT_TRUE(all.contains(id));
  for (const std::string& id : ids_of(plans.rung(plans.arms(), 1))) EXPECT_FALSE(all.contains(id));
  for (const std::string& id : ids_of(plans.decision(plans.arms()))) EXPECT_FALSE(all.contains(id));
}

TEST(SearchPlan, ARungIsTheStudysTrainingShortened) {
  const SearchPlans plans(
      prepared_study({.training = "{epochs: 12, batch_size: 12, lr: 0.02, warmup_steps: 9, schedule: step, "
                                  "milestones: [6, 10]}",
                      .more = "fine_tuning: {policies: [lp-ft], lp_ft_epochs: 6}\n"}),
      1, "", {});
  ASSERT_EQ(plans.parts().training.size(), 36u) << "three steps an epoch";
  const Study rung = plans.rung(plans.arms(), 4).study;
  EXPECT_EQ(rung.training.iterations, 12);
  EXPECT_EQ(rung.training.milestones, (std::vector<std::int64_t>{6, 10}));
  EXPECT_EQ(rung.training.warmup_steps, 3);
  EXPECT_EQ(rung.fine_tuning_settings.lp_ft_epochs, 2);
  const Study full = plans.rung(plans.arms(), 12).study;
  EXPECT_EQ(full.training.epochs, 12);
  EXPECT_EQ(full.training.iterations, 0);
  EXPECT_EQ(full.training.warmup_steps, 9);
  EXPECT_EQ(full.fine_tuning_settings.lp_ft_epochs, 6);
}

TEST(SearchPlan, StepsAreShortenedWhereTheStudyCountsThose) {
  const SearchPlans plans(
      prepared_study({.training = "{iterations: 12, batch_size: 12, lr: 0.02, warmup_steps: 4, schedule: step, "
                                  "milestones: [6, 9]}"}),
      1, "", {});
  EXPECT_EQ(plans.full_length(), 12);
  const SearchPhase rung = plans.rung(plans.arms(), 4);
  EXPECT_EQ(rung.study.training.iterations, 4);
  EXPECT_EQ(rung.study.training.milestones, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(rung.study.training.warmup_steps, 1);
  const SearchPhase source = plans.source({plans.seed()});
  EXPECT_EQ(training_of(source.study, source.runs.front()).iterations, 12);
  EXPECT_EQ(plans.decision(plans.arms()).study.training.iterations, 12);
}

TEST(SearchPlan, ARungIsLongEnoughForEveryPolicy) {
  const SearchPlans plans(prepared_study({.more = "fine_tuning: {policies: [gradual]}\n"}), 1, "", {});
  EXPECT_EQ(plans.least_length(), 4) << "stages of cut 3 are thawed in three epochs";
  EXPECT_THROW(plans.rung(plans.arms(), 3), Error);
  EXPECT_EQ(plans.rung(plans.arms(), 4).runs.size(), 5u);
}

TEST(SearchPlan, OneOfSeveralSplitsIsNamed) {
  SearchedStudy several{.split = "{random_halves: 2}"};
  expect_error(several, "", ErrorKind::usage, "the study has 2 splits: name one with --split, of random0, random1");
  expect_error(several, "random7", ErrorKind::usage, "--split random7");
  const PreparedStudy prepared = prepared_study(several);
  const SearchPlans plans(prepared, 1, "random1", {});
  const SearchPhase rung = plans.rung(plans.arms(), 1);
  for (const RunSpec& run : rung.runs) EXPECT_EQ(run.split.target, prepared.plan.splits[1].target);
}

TEST(SearchPlan, NothingThatCarriesLayersOverIsSaid) {
  expect_error({.treatments = "[base, BnB, random]"}, "", ErrorKind::data, "add AnB or AnB+ to `treatments`");
}

}  // namespace
}  // namespace graft::testing
