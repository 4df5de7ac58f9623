#include "transfer/policy_search.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/search_fixture.h"
#include "transfer/search_advice.h"
#include "transfer/search_report.h"

namespace graft::testing {
namespace {

/// What two equal searches share.
std::string findings(const SearchOutcome& outcome) {
  auto json = nlohmann::json::parse(search_json(outcome));
  json.erase("seconds");
  return json.dump(1);
}

SearchOutcome search(const SearchedStudy& study, const SearchOptions& options) {
  return search_policies(options, prepared_study(study));
}

std::vector<std::string> lines_of(const std::filesystem::path& folder) {
  std::vector<std::string> lines;
  std::istringstream text(read_text(folder / "search.jsonl"));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(PolicySearch, RanksOnOnePartAndDecidesOnAnother) {
  const TemporaryFolder folder;
  const SearchedStudy study;
  const SearchOutcome outcome = search(study, search_options(study, folder.path()));
  ASSERT_EQ(outcome.rungs.size(), 2u);
  EXPECT_EQ(outcome.rungs[0].arms.size(), 5u);
  EXPECT_EQ(outcome.rungs[0].length, 1);
  EXPECT_EQ(outcome.rungs[1].arms.size(), 2u);
  EXPECT_EQ(outcome.rungs[1].length, 3);
  for (std::size_t i = 1; i < 5; ++i) {
    EXPECT_GE(outcome.rungs[0].arms[i - 1].evaluation.correct, outcome.rungs[0].arms[i].evaluation.correct);
  }
  for (const RankedArm& candidate : outcome.rungs[0].arms) EXPECT_EQ(candidate.evaluation.n, 12);
  EXPECT_TRUE(outcome.challenger.carries());
  ASSERT_EQ(outcome.decided.size(), 4u);
  for (const Evaluation& e : outcome.decided) {
    EXPECT_EQ(e.n, 12);
    EXPECT_EQ(e.epochs, 4);
  }
  ASSERT_EQ(outcome.contrasts.size(), 1u);
  EXPECT_EQ(outcome.contrasts[0].difference.units, 2);
  EXPECT_TRUE(outcome.contrasts[0].carries_over);
  EXPECT_FALSE(outcome.stop);
  EXPECT_EQ(lines_of(folder.path()).size(), 1u + 3 + 5 + 2 + 4 + 1) << "settings, source, rungs, held out, the end";
}

TEST(PolicySearch, ThreadsAndAnInterruptionChangeNoNumber) {
  const TemporaryFolder alone;
  const TemporaryFolder again;
  const SearchedStudy study;
  const std::string whole = findings(search(study, search_options(study, alone.path())));
  SearchOptions options = search_options(study, again.path());
  options.runner.jobs = 1;
  EXPECT_EQ(findings(search(study, options)), whole);

  const std::vector<std::string> lines = lines_of(again.path());
  for (const std::size_t kept : {1u, 4u, 9u, 13u}) {
    std::string text;
    for (std::size_t i = 0; i < kept; ++i) text += lines[i] + "\n";
    write_text(again.path() / "search.jsonl", text + "{\"kind\":\"eval");
    EXPECT_EQ(findings(search(study, options)), whole) << "after " << kept << " lines";
    EXPECT_EQ(lines_of(again.path()).size(), lines.size()) << "nothing was trained twice";
  }
  // A base network whose weights are gone is trained again where it is copied from, and gives the same.
  std::filesystem::remove_all(again.path() / "runs");
  std::string text;
  for (std::size_t i = 0; i < 4; ++i) text += lines[i] + "\n";
  write_text(again.path() / "search.jsonl", text);
  EXPECT_EQ(findings(search(study, options)), whole);
}

/// Costs that make every training after the first rung take as good as forever.
SearchOptions endless_later_rungs(const SearchedStudy& study, const std::filesystem::path& folder) {
  SearchOptions options = search_options(study, folder);
  options.costs = [](const PreparedStudy& phase) -> CostFunction {
    const bool later = phase.plan.study.training.epochs == 3;
    return [later](const RunSpec& run) { return RunCost{.flops = later && run.target == "B" ? 1e12 : 1.0}; };
  };
  options.budget = 3000.0;
  return options;
}

TEST(PolicySearch, ABudgetEndsTheSearchEarlyAndSaysWhatItDidNotLookAt) {
  const TemporaryFolder free;
  const TemporaryFolder bound;
  const SearchedStudy study;
  const SearchOutcome whole = search(study, search_options(study, free.path()));
  const SearchOptions options = endless_later_rungs(study, bound.path());
  const SearchOutcome outcome = search(study, options);
  ASSERT_EQ(outcome.rungs.size(), 1u);
  ASSERT_TRUE(outcome.stop);
  EXPECT_EQ(outcome.stop->rung, 1);
  EXPECT_EQ(outcome.stop->candidates, 2);
  EXPECT_NE(not_looked_at(outcome).find("rung 1, 2 candidates for 3 epochs each"), std::string::npos);
  EXPECT_NE(search_text(outcome).find("not looked at for lack of time: rung 1"), std::string::npos);
  std::set<std::string> ids;
  for (const RankedArm& candidate : whole.rungs[0].arms) ids.insert(candidate.evaluation.id);
  for (const RankedArm& candidate : outcome.rungs[0].arms) {
    EXPECT_TRUE(ids.contains(candidate.evaluation.id)) << "the clock changes how far it goes, not what it trains";
  }
  // What time decided is not decided anew, whatever the budget is then.
  SearchOptions more = options;
  more.budget.reset();
  EXPECT_EQ(search(study, more).rungs.size(), 1u);
}

TEST(PolicySearch, ABudgetTooSmallForARungIsSaidBeforeAnythingIsTrained) {
  const TemporaryFolder folder;
  const SearchedStudy study;
  SearchOptions options = search_options(study, folder.path());
  options.budget = 5.0;
  options.seconds_per_flop = 1.0;
  try {
    search(study, options);
    FAIL() << "five seconds for a search of hundreds";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("--budget is 5 s, too little for one rung of 5 candidates"),
              std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "runs"));
}

TEST(PolicySearch, WhereNoTimeIsKnownOneNetworkIsTimedFirst) {
  const TemporaryFolder folder;
  const SearchedStudy study;
  SearchOptions options = search_options(study, folder.path());
  options.budget = 1e-6;
  EXPECT_THROW(search(study, options), Error);
  EXPECT_EQ(lines_of(folder.path()).size(), 2u) << "settings, and base in the first rung";
  options.budget = 3600.0;
  EXPECT_EQ(search(study, options).rungs.size(), 2u) << "with more time it goes on";
}

TEST(PolicySearch, AnotherSearchAnotherStudyAndAnotherBinaryAreRefused) {
  const TemporaryFolder folder;
  const SearchedStudy study;
  const SearchOptions options = search_options(study, folder.path());
  search(study, options);
  const auto expect_refused = [&](const SearchedStudy& other, const SearchOptions& changed, const std::string& part) {
    try {
      search(other, changed);
      FAIL() << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  SearchOptions changed = options;
  changed.eta = 2;
  expect_refused(study, changed, "begun with --eta 3, now it is 2");
  changed = options;
  changed.runner.binary = "other";
  expect_refused(study, changed, "--accept-binary");
  const SearchedStudy other{.cuts = "[1, 2]"};
  expect_refused(other, search_options(other, folder.path()), "cuts: [1, 2] here, [1, 3] there");
  // A line that was changed is found by its hash.
  std::string text = read_text(folder.path() / "search.jsonl");
  text.replace(text.find("\"correct\":"), 11, "\"correct\":9");
  write_text(folder.path() / "search.jsonl", text);
  expect_refused(study, options, "search.jsonl:2: the line was changed");
}

TEST(PolicySearch, WhereNothingTrainsNothingIsRecommended) {
  const TemporaryFolder folder;
  const SearchedStudy study{.training = "{epochs: 4, batch_size: 12, lr: 1.0e+30}"};
  try {
    search(study, search_options(study, folder.path()));
    FAIL() << "every loss is no number";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::failure);
    EXPECT_NE(std::string(error.what()).find("no candidate that carries layers over could be trained"),
              std::string::npos)
        << error.what();
  }
}

/// Invented accuracies on what is held out.
SearchOutcome invented_outcome(double challenger, double base, std::optional<double> margin) {
  SearchOutcome outcome;
  outcome.study = parse_study(yaml_of({}), "searched.yaml");
  outcome.study.margin = margin;
  outcome.held_out = 1000;
  outcome.challenger = {{.treatment = Treatment::anb}, 3};
  std::vector<Observation> observations;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const double noise = 0.001 * static_cast<double>(seed);
    for (const bool is_base : {true, false}) {
      const double top1 = is_base ? base : challenger + noise;
      observations.push_back(
          {is_base ? "base" : "AnB", is_base ? 0 : 3, "named", "B", seed, top1, is_base ? "B" : "A", 1000});
      Evaluation& decided = outcome.decided.emplace_back();
      decided.cut = is_base ? 0 : 3;
      decided.seed = seed;
      decided.seconds = is_base ? 4.0 : 1.0;
    }
  }
  outcome.contrasts = contrasts_of(observations, {.rule = {.margin = margin}});
  return outcome;
}

TEST(SearchAdvice, OnlyWhatIsHeldOutDecides) {
  const SearchAdvice gain = advice_of(invented_outcome(0.85, 0.80, 0.01));
  EXPECT_EQ(gain.arm.name(), "AnB at cut 3");
  EXPECT_NE(gain.text.find("AnB at cut 3, which transfers: above base"), std::string::npos) << gain.text;
  EXPECT_EQ(seconds_a_network(invented_outcome(0.85, 0.80, 0.01), false), 1.0);
  EXPECT_EQ(seconds_a_network(invented_outcome(0.85, 0.80, 0.01), true), 4.0);
  EXPECT_EQ(gain.text.find("may be one of these"), std::string::npos) << gain.text;
  const SearchAdvice small = advice_of(invented_outcome(0.82, 0.80, std::nullopt));
  EXPECT_NE(small.text.find("so small a difference may be one of these 1000 images"), std::string::npos) << small.text;
  const SearchAdvice same = advice_of(invented_outcome(0.7985, 0.80, 0.01));
  EXPECT_NE(same.text.find("AnB at cut 3, which does not matter"), std::string::npos) << same.text;
  EXPECT_FALSE(advice_of(invented_outcome(0.75, 0.80, 0.01)).arm.carries()) << "negative transfer";
  EXPECT_FALSE(advice_of(invented_outcome(0.7985, 0.80, std::nullopt)).arm.carries()) << "not shown";
  EXPECT_FALSE(advice_of(SearchOutcome{}).arm.carries()) << "nothing was compared";
}

}  // namespace
}  // namespace graft::testing
