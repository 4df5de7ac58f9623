#include "transfer/search_record.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"

namespace graft::testing {
namespace {

const SearchSettings kSettings{{"study", "small"}, {"--eta", "3"}};

Evaluation evaluation(const std::string& id, SearchStage stage, double loss, std::int64_t correct) {
  return {.id = id,
          .stage = stage,
          .arm = "AnB at cut 3",
          .treatment = "AnB",
          .cut = 3,
          .train_loss = loss,
          .correct = correct,
          .n = 600,
          .classes = 5};
}

/// The mean loss of one short epoch is about ln C for a network that has learned in it.
TEST(Evaluation, ARungsNetworkIsJudgedByItsAnswers) {
  const double guessing = std::log(5.0);
  EXPECT_EQ(evaluation("a", SearchStage::rung, guessing, 331).untrained(), "");
  EXPECT_NE(evaluation("a", SearchStage::decision, guessing, 331).untrained(), "");
  // Chance is 120 of 600, three standard errors above it 149.4.
  EXPECT_EQ(evaluation("a", SearchStage::rung, 1.0, 150).untrained(), "");
  for (const SearchStage stage : {SearchStage::rung, SearchStage::decision}) {
    EXPECT_EQ(evaluation("a", stage, 1.0, 149).untrained(), "its test accuracy 0.2483 is chance (at most 0.2490)");
  }
}

TEST(SearchRecord, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  SearchRecord record(folder.path(), kSettings);
  EXPECT_TRUE(read_search(folder.path()).settings.empty());
  record.add(evaluation("a", SearchStage::rung, 1.5, 100));
  record.add(evaluation("a", SearchStage::rung, 1.5, 200));
  record.add({.rung = 1, .candidates = 2, .length = 3, .used = 4.5});
  const SearchLines there = read_search(folder.path());
  EXPECT_EQ(there.settings, (std::map<std::string, std::string>{{"study", "small"}, {"--eta", "3"}}));
  ASSERT_EQ(there.evaluations.size(), 1u);
  EXPECT_EQ(there.evaluations.at("a").correct, 200) << "the latest line of a network counts";
  ASSERT_TRUE(there.stop.has_value());
  EXPECT_EQ(there.stop->length, 3);
  EXPECT_EQ(there.used, 4.5);
  EXPECT_FALSE(there.concluded);
}

/// What only reads mends nothing.
TEST(SearchRecord, ATornLineIsCutOffByWhoGoesOn) {
  const TemporaryFolder folder;
  SearchRecord(folder.path(), kSettings).add(evaluation("a", SearchStage::rung, 1.5, 100));
  const std::string whole = read_text(folder.path() / "search.jsonl");
  write_text(folder.path() / "search.jsonl", whole + whole.substr(0, 40));
  expect_error(ErrorKind::data, {"search.jsonl:3: the line has no sha256"}, [&] { read_search(folder.path()); });
  EXPECT_EQ(read_text(folder.path() / "search.jsonl").size(), whole.size() + 40);
  EXPECT_EQ(SearchRecord(folder.path(), kSettings).evaluations().size(), 1u);
  EXPECT_EQ(read_text(folder.path() / "search.jsonl"), whole);
}

TEST(SearchRecord, OtherSettingsAreAnotherSearch) {
  const TemporaryFolder folder;
  SearchRecord(folder.path(), kSettings).add(evaluation("a", SearchStage::rung, 1.5, 100));
  expect_error(ErrorKind::data, {"search.jsonl:1: this search was begun with --eta 3, now it is 2", "--output"}, [&] {
    SearchRecord(folder.path(), {{"study", "small"}, {"--eta", "2"}});
  });
}

}  // namespace
}  // namespace graft::testing
