#include "transfer/search_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "engine/base/error.h"
#include "tests/transfer/study_fixture.h"

namespace graft::testing {
namespace {

using Items = std::vector<std::int64_t>;

/// Those of one class.
Items of_class(const Dataset& data, const Items& items, std::int64_t label) {
  Items chosen;
  for (const std::int64_t item : items) {
    if (data.label(item) == label) chosen.push_back(item);
  }
  return chosen;
}

TEST(SearchParts, ThreePartsShareNothingAndAreAllThereIs) {
  const DatasetPair data = fake_fashion_mnist(50);
  const Items classes{2, 4, 7};
  const SearchParts parts = divide_target(*data.train, classes, 30, 9, {.validation = 0.2, .held_out = 0.3});
  Items all;
  for (const Items* part : {&parts.training, &parts.validation, &parts.held_out}) {
    EXPECT_TRUE(std::is_sorted(part->begin(), part->end()));
    all.insert(all.end(), part->begin(), part->end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, choose_items(*data.train, classes, 30, 9)) << "the study's own images, each once";
  for (const std::int64_t label : classes) {
    EXPECT_EQ(of_class(*data.train, parts.training, label).size(), 15u);
    EXPECT_EQ(of_class(*data.train, parts.validation, label).size(), 6u);
    EXPECT_EQ(of_class(*data.train, parts.held_out, label).size(), 9u);
  }
}

TEST(SearchParts, AreKeyedBySeedAndClassAlone) {
  const DatasetPair data = fake_fashion_mnist(50);
  const SearchParts two = divide_target(*data.train, {2, 4}, 30, 9, {});
  const SearchParts other_company = divide_target(*data.train, {8, 4}, 30, 9, {});
  EXPECT_EQ(of_class(*data.train, two.held_out, 4), of_class(*data.train, other_company.held_out, 4));
  EXPECT_EQ(of_class(*data.train, two.validation, 4), of_class(*data.train, other_company.validation, 4));
  const SearchParts other_seed = divide_target(*data.train, {2, 4}, 0, 10, {});
  EXPECT_NE(of_class(*data.train, divide_target(*data.train, {2, 4}, 0, 9, {}).held_out, 4),
            of_class(*data.train, other_seed.held_out, 4));
}

TEST(SearchParts, WhatIsHeldOutDoesNotDependOnWhatIsValidated) {
  const DatasetPair data = fake_fashion_mnist(50);
  const SearchParts few = divide_target(*data.train, {1}, 0, 9, {.validation = 0.1, .held_out = 0.2});
  const SearchParts many = divide_target(*data.train, {1}, 0, 9, {.validation = 0.5, .held_out = 0.2});
  EXPECT_EQ(few.held_out, many.held_out);
}

TEST(SearchParts, TooFewImagesNameTheClass) {
  const DatasetPair data = fake_fashion_mnist(50);
  try {
    divide_target(*data.train, {0, 3}, 2, 9, {});
    FAIL() << "two images of three parts";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find("class 'T-shirt/top' has 2 training images"), std::string::npos)
        << error.what();
  }
}

std::set<std::int64_t> labels_of(const Dataset& data) {
  std::set<std::int64_t> labels;
  for (std::int64_t i = 0; i < data.size(); ++i) labels.insert(data.label(i));
  return labels;
}

TEST(SearchParts, RungsAndDecisionReadNoTestImageAndTheDecisionNoneThatRanked) {
  const StudyData whole(fake_fashion_mnist(50));
  const SearchParts parts = divide_target(*whole.target.train, {1, 5}, 20, 9, {});
  const StudyData ranking = ranking_data(whole, parts);
  const StudyData decision = decision_data(whole, parts);
  EXPECT_EQ(ranking.target.train->size(), 24);
  EXPECT_EQ(ranking.target.test->size(), 8);
  EXPECT_EQ(decision.target.train->size(), 32);
  EXPECT_EQ(decision.target.test->size(), 8);
  EXPECT_EQ(labels_of(*ranking.target.test), (std::set<std::int64_t>{1, 5})) << "classes keep their numbers";
  EXPECT_EQ(ranking.target.test->class_names(), whole.target.train->class_names());
  EXPECT_NE(ranking.target.test->content_hash(), decision.target.test->content_hash());
}

TEST(SearchParts, TheSourceSeesNoTargetImageThatRanksOrDecides) {
  const StudyData whole(fake_fashion_mnist(50));
  const SearchParts parts = divide_target(*whole.target.train, {1, 5}, 20, 9, {});
  const StudyData ranking = ranking_data(whole, parts);
  EXPECT_EQ(ranking.source.train->size(), 500 - 8 - 8);
  EXPECT_EQ(ranking.source.train->content_hash(), decision_data(whole, parts).source.train->content_hash());
}

}  // namespace
}  // namespace graft::testing
