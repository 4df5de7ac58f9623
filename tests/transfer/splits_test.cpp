#include "transfer/splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/error.h"

namespace graft {
namespace {

using Indices = std::vector<std::int64_t>;
using Names = std::vector<std::string>;

Study named(const std::string& split) {
  return parse_study("name: s\ndataset: fashion-mnist\nmodel: convnet6\nsplit: " + split +
                         "\ntreatments: [AnB]\ncuts: [1]\nseeds: [0]\n",
                     "s.yaml");
}

const Names kAnimals{"cat", "dog", "wolf", "car", "bus", "tram"};

std::string error_of(const std::string& split, const Names& source = kAnimals, const Names& target = kAnimals) {
  try {
    make_splits(named(split), source, target);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

/// Every class is in one half, whatever the order.
void expect_partition(const Split& split, std::size_t classes) {
  Indices all = split.source;
  all.insert(all.end(), split.target.begin(), split.target.end());
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), classes);
  for (std::size_t i = 0; i < classes; ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
  EXPECT_TRUE(std::is_sorted(split.source.begin(), split.source.end()));
  EXPECT_TRUE(std::is_sorted(split.target.begin(), split.target.end()));
}

TEST(Splits, RandomHalvesAreFair) {
  // Each class is in the source half of 1000 splits 500 times on average, deviation sqrt(1000) / 2 = 15.8; five of
  // them.
  std::vector<int> counts(10, 0);
  for (std::int64_t k = 0; k < 1000; ++k) {
    for (const std::int64_t c : random_split(10, 3, k).source) ++counts[static_cast<std::size_t>(c)];
  }
  for (const int count : counts) EXPECT_NEAR(count, 500, 79);
}

TEST(Splits, DissimilarHalvesKeepGroupsWhole) {
  const std::vector<Indices> groups{{0, 5}, {1, 6, 7}, {2, 8}, {3, 9}, {4}};
  std::map<std::size_t, int> in_source;
  for (std::int64_t k = 0; k < 400; ++k) {
    const Split split = random_group_split(groups, GroupUse::dissimilar, 7, k);
    expect_partition(split, 10);
    const std::set<std::int64_t> source(split.source.begin(), split.source.end());
    std::size_t whole = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto there = std::count_if(groups[g].begin(), groups[g].end(), [&](auto c) { return source.contains(c); });
      EXPECT_TRUE(there == 0 || there == static_cast<std::ptrdiff_t>(groups[g].size()));
      whole += there > 0 ? 1U : 0U;
      in_source[g] += there > 0 ? 1 : 0;
    }
    EXPECT_EQ(whole, 2u);
  }
  // Two groups of five: 160 of 400 on average, deviation sqrt(400 .4 .6) = 9.8; five of them.
  for (const auto& [group, count] : in_source) EXPECT_NEAR(count, 160, 49) << group;
}

TEST(Splits, SimilarHalvesDivideEachGroup) {
  const std::vector<Indices> groups{{0, 5, 1}, {6, 7, 8}, {2, 3, 4, 9}};
  std::set<Indices> sources;
  for (std::int64_t k = 0; k < 50; ++k) {
    const Split split = random_group_split(groups, GroupUse::similar, 7, k);
    expect_partition(split, 10);
    EXPECT_EQ(split.source.size(), 5u);  // one and two of the odd groups, two of the even one
    for (const Indices& group : groups) {
      const auto there = std::count_if(group.begin(), group.end(), [&](auto c) {
        return std::binary_search(split.source.begin(), split.source.end(), c);
      });
      EXPECT_GE(there, static_cast<std::ptrdiff_t>(group.size() / 2));
      EXPECT_LE(there, static_cast<std::ptrdiff_t>((group.size() + 1) / 2));
    }
    sources.insert(split.source);
  }
  EXPECT_GT(sources.size(), 10u);
}

TEST(Splits, GroupsStandForTheirClasses) {
  const std::string groups = "groups: {beasts: [wolf, cat, dog], vehicles: [car, bus, tram]}";
  const auto splits = make_splits(named("{" + groups + ", source: [beasts], target: [vehicles]}"), kAnimals, kAnimals);
  ASSERT_EQ(splits.size(), 1u);
  EXPECT_EQ(splits[0].source, (Indices{2, 0, 1}));
  EXPECT_EQ(splits[0].target, (Indices{3, 4, 5}));
  const auto halves = make_splits(named("{" + groups + ", random_halves: 3, halves: similar}"), kAnimals, kAnimals);
  ASSERT_EQ(halves.size(), 3u);
  EXPECT_EQ(halves[1].source, random_group_split({{2, 0, 1}, {3, 4, 5}}, GroupUse::similar, 0, 1).source);
  EXPECT_EQ(error_of("{groups: {beasts: [cat, dog], vehicles: [car, bus]}, random_halves: 1, halves: dissimilar}"),
            "split.groups leaves out class 'wolf' of fashion-mnist: random halves of groups need every class");
  EXPECT_EQ(error_of("{groups: {beasts: [cat, dig], vehicles: [car, bus]}, source: [beasts], target: [vehicles]}"),
            "split.source names class 'dig', which fashion-mnist lacks: did you mean 'dog'?");
}

TEST(Splits, TheShippedSuperclasses) {
  const std::string file = std::string(GRAFT_SOURCE_DIR) + "/studies/groups/cifar100-superclasses.yaml";
  const Study study =
      parse_study("name: s\ndataset: cifar100\nmodel: cifar_resnet20\nsplit: {groups: " + file +
                      ", random_halves: 2, halves: dissimilar}\ntreatments: [AnB]\ncuts: [1]\nseeds: [0]\n",
                  "s.yaml");
  ASSERT_EQ(study.groups.size(), 20u);
  std::set<std::string> names;
  for (const ClassGroup& group : study.groups) {
    EXPECT_EQ(group.classes.size(), 5u) << group.name;
    names.insert(group.classes.begin(), group.classes.end());
  }
  EXPECT_EQ(names.size(), 100u);
  const Names classes(names.begin(), names.end());
  EXPECT_EQ(make_splits(study, classes, classes)[1].source.size(), 50u);
}

TEST(Splits, OverlapMustBeDeclared) {
  EXPECT_EQ(error_of("{source: [cat, dog], target: all}"),
            "class 'cat' is in split.source and split.target: take it out of one, or list it in split.overlap");
  EXPECT_EQ(error_of("{source: [cat, dog], target: [dog, car], overlap: [dog]}"), "no error");
  EXPECT_EQ(error_of("{source: [cat, dog], target: [dog, car], overlap: [dog, car]}"),
            "split.overlap lists 'car', which is not in both halves");
}

TEST(Splits, AcrossDataSets) {
  const Study study = named("{source: {dataset: cifar10}, target: [car, bus]}");
  EXPECT_EQ(study.source_dataset, "cifar10");
  const auto splits = make_splits(study, {"cat", "dog", "frog"}, kAnimals);
  EXPECT_EQ(splits[0].source, (Indices{0, 1, 2}));
  EXPECT_EQ(splits[0].target, (Indices{3, 4}));
  EXPECT_EQ(error_of("{source: {dataset: cifar10, classes: [frog, cot]}, target: [car, bus]}", {"cat", "dog", "frog"}),
            "split.source names class 'cot', which cifar10 lacks: did you mean 'cat'?");
  EXPECT_EQ(error_of("{source: {dataset: cifar10}, target: all}", {"cat", "ship"}),
            "class 'cat' is in split.source and split.target: take it out of one, or list it in split.overlap");
}

}  // namespace
}  // namespace graft
