#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "datasets/memory_dataset.h"
#include "datasets/permutation.h"
#include "tests/io/temporary_folder.h"

namespace graft::testing {
namespace {

/// 40 one-pixel items of four classes; item i has pixel i and class (7 i) % 4, so that classes are interleaved.
DatasetPtr make_items() {
  std::vector<std::uint8_t> pixels(40);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 40; ++i) labels.push_back(static_cast<std::uint8_t>(7 * i % 4));
  return std::make_shared<MemoryDataset>(pixels, Shape{1, 1, 1}, labels, std::vector<std::string>{"a", "b", "c", "d"});
}

std::uint8_t pixel_of(const Dataset& dataset, std::int64_t index) {
  std::uint8_t pixel = 0;
  dataset.read(index, std::as_writable_bytes(std::span(&pixel, 1)));
  return pixel;
}

TEST(Permutation, HoldsEachOnceAndDependsOnAllKeys) {
  const auto one = permutation(1000, {1, 2}, 3);
  auto sorted = one;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) ASSERT_EQ(sorted[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(permutation(1000, {1, 2}, 3), one);
  EXPECT_NE(permutation(1000, {2, 2}, 3), one);
  EXPECT_NE(permutation(1000, {1, 3}, 3), one);
  EXPECT_NE(permutation(1000, {1, 2}, 4), one);
  EXPECT_TRUE(permutation(0, {1, 2}, 3).empty());
}

TEST(Permutation, IsUniform) {
  // 24 orders of 4, 24,000 draws: each count is binomial with mean 1000 and deviation 31; 6 deviations.
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::uint64_t step = 0; step < 24'000; ++step) ++counts[permutation(4, {5, 6}, step)];
  EXPECT_EQ(counts.size(), 24u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 186);
}

TEST(Subset, MapsLabelsInTheOrderOfTheClasses) {
  const DatasetPtr parent = make_items();
  const DatasetPtr subset = make_subset(parent, {5, 2, 1, 6}, {3, 2});
  EXPECT_EQ(subset->class_names(), (std::vector<std::string>{"d", "c"}));
  ASSERT_EQ(subset->size(), 4);
  const std::vector<std::uint8_t> pixels = {5, 2, 1, 6};
  for (std::int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(pixel_of(*subset, i), pixels[static_cast<std::size_t>(i)]);
    EXPECT_EQ(subset->class_names()[static_cast<std::size_t>(subset->label(i))],
              parent->class_names()[static_cast<std::size_t>(parent->label(pixels[static_cast<std::size_t>(i)]))]);
  }
}

TEST(Subset, HashTellsItemsAndClassesApart) {
  const DatasetPtr parent = make_items();
  const std::string hash = make_subset(parent, {1, 5}, {3, 2})->content_hash();
  EXPECT_EQ(make_subset(parent, {1, 5}, {3, 2})->content_hash(), hash);
  EXPECT_NE(make_subset(parent, {1, 5}, {2, 3})->content_hash(), hash);
  EXPECT_NE(make_subset(parent, {5, 1}, {3, 2})->content_hash(), hash);
  EXPECT_NE(make_subset(parent, {1}, {3, 2})->content_hash(), hash);
}

TEST(Subset, RefusesWhatIsNotThere) {
  const DatasetPtr parent = make_items();
  EXPECT_THROW(make_subset(parent, {40}, {0}), Error);
  EXPECT_THROW(make_subset(parent, {-1}, {0}), Error);
  EXPECT_THROW(make_subset(parent, {0}, {1}), Error);  // item 0 is of class 0
  expect_error(ErrorKind::data, {"class 4"}, [&] { make_subset(parent, {}, {4}); });
  expect_error(ErrorKind::data, {"'b'", "twice"}, [&] { make_subset(parent, {}, {1, 1}); });
  const DatasetPtr subset = make_subset(parent, {0}, {0});
  std::byte pixel{};
  EXPECT_THROW(subset->read(1, std::span(&pixel, 1)), Error);
}

TEST(ChooseItems, NestsAndKeepsClasses) {
  const DatasetPtr parent = make_items();
  std::vector<std::int64_t> smaller;
  for (const std::int64_t per_class : {1, 2, 5, 9, 10}) {
    const auto chosen = choose_items(*parent, {1, 3}, per_class, 7);
    EXPECT_TRUE(std::is_sorted(chosen.begin(), chosen.end()));
    ASSERT_EQ(chosen.size(), static_cast<std::size_t>(2 * per_class));
    std::map<std::int64_t, std::int64_t> counts;
    for (const auto item : chosen) ++counts[parent->label(item)];
    EXPECT_EQ(counts, (std::map<std::int64_t, std::int64_t>{{1, per_class}, {3, per_class}}));
    EXPECT_TRUE(std::includes(chosen.begin(), chosen.end(), smaller.begin(), smaller.end())) << per_class;
    smaller = chosen;
  }
  EXPECT_EQ(choose_items(*parent, {1, 3}, 0, 7), smaller);
}

TEST(ChooseItems, DependsOnSeedAndClassAlone) {
  const DatasetPtr parent = make_items();
  const auto one = choose_items(*parent, {1}, 4, 7);
  EXPECT_EQ(choose_items(*parent, {1}, 4, 7), one);
  EXPECT_NE(choose_items(*parent, {1}, 4, 8), one);
  // The same items of a class whatever other classes are chosen beside it.
  const auto both = choose_items(*parent, {2, 1}, 4, 7);
  EXPECT_TRUE(std::includes(both.begin(), both.end(), one.begin(), one.end()));
}

TEST(ChooseItems, NamesAClassWithTooFew) {
  const DatasetPtr parent = make_items();
  expect_error(ErrorKind::data, {"'b'", "10", "11"}, [&] { choose_items(*parent, {1}, 11, 0); });
}

TEST(MemoryDataset, RefusesWhatDoesNotFit) {
  const std::vector<std::string> names = {"a", "b"};
  EXPECT_THROW(MemoryDataset({1, 2, 3}, {1, 1, 1}, {0, 1}, names), Error);
  EXPECT_THROW(MemoryDataset({1, 2}, {1, 1, 1}, {0, 2}, names), Error);
}

}  // namespace
}  // namespace graft::testing
