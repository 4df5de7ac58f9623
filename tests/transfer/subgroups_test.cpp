#include "transfer/subgroups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/half_data.h"

namespace graft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Six test images of three classes, with names where they are files.
class TestImages final : public Dataset {
 public:
  explicit TestImages(bool files) : files_(files) {}
  std::int64_t size() const override { return 6; }
  Shape item_shape() const override { return {1, 1, 1}; }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override { return index / 2; }
  void read(std::int64_t, std::span<std::byte>) const override {}
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string content_hash() const override { return "six"; }
  std::string file_name(std::int64_t index) const override {
    return files_ ? names_[static_cast<std::size_t>(label(index))] + fmt::format("/{}.jpg", index) : "";
  }

 private:
  bool files_;
  std::vector<std::string> names_{"cat", "dog", "emu"};
};

Subgroups parse(const std::string& text, bool files = false, const std::vector<std::int64_t>& classes = {0, 1, 2}) {
  return parse_subgroups(text, "light.csv", TestImages(files), classes);
}

void expect_refused(const std::string& text, const std::string& message, bool files = false,
                    const std::vector<std::int64_t>& classes = {0, 1, 2}) {
  try {
    parse(text, files, classes);
    FAIL() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), HasSubstr(message));
  }
}

TEST(Subgroups, OfArraysByIndex) {
  const Subgroups read = parse("index,subgroup\n5,light\n4,\"dim, grey\"\r\n3,light\n0,dark\n2,light\n1,dark\n");
  EXPECT_THAT(read.names, ElementsAre("dark", "dim, grey", "light"));
  EXPECT_THAT(read.of_image, ElementsAre(0, 0, 2, 2, 1, 2));
  EXPECT_THAT(subgroups_of(read, std::vector<std::int64_t>{4, 0}), ElementsAre(1, 0));
  EXPECT_EQ(subgroups_line(read), "subgroups, test images of light.csv: dark 2, dim, grey 1, light 3\n");
}

TEST(Subgroups, OfFilesByPath) {
  const Subgroups read =
      parse("image,subgroup\ndog/3.jpg,b\ncat/0.jpg,a\ncat/1.jpg,b\ndog/2.jpg,a\nemu/4.jpg,a\nemu/5.jpg,a\n", true);
  EXPECT_THAT(read.of_image, ElementsAre(0, 1, 0, 1, 0, 0));
}

TEST(Subgroups, AClassThatIsNotTestedNeedsNone) {
  const Subgroups read = parse("index,subgroup\n0,a\n1,b\n5,c\n", false, {0});
  EXPECT_THAT(read.of_image, ElementsAre(0, 1, -1, -1, -1, 2));
}

TEST(Subgroups, WhatIsWrongIsNamedWithItsLine) {
  expect_refused("", "light.csv:1: begins with '': begin with 'index,subgroup'");
  expect_refused("id,group\n0,a\n", "light.csv:1: begins with 'id,group': begin with 'index,subgroup'");
  expect_refused("image,subgroup\ncat/0.jpg,a\n",
                 "light.csv:1: begins with 'image,subgroup', but the test images are "
                 "no files: number them from 0 in the order of the test set");
  expect_refused("index,subgroup\n0,a\n", "light.csv:1: begins with 'index,subgroup', but the test images are files",
                 true);
  expect_refused("index,subgroup\n0,a\n1,a,b\n", "light.csv:3: has 3 cells, not 2");
  expect_refused("index,subgroup\n0\n", "light.csv:2: has 1 cells, not 2");
  for (const char* index : {"6", "-1", "1.0", "", "0x1", "99999999999999999999"}) {
    expect_refused(fmt::format("index,subgroup\n{},a\n", index),
                   fmt::format("light.csv:2: index '{}' is no whole number from 0 to 5, the test images", index));
  }
  expect_refused("image,subgroup\nval/cat/1.jpg,a\n",
                 "light.csv:2: there is no test image 'val/cat/1.jpg': did you mean 'cat/1.jpg'?", true);
  expect_refused("index,subgroup\n0,a\n1,b\n0,b\n", "light.csv:4: image 0 stands in line 2 already: keep one");
  expect_refused("index,subgroup\n0,\n", "light.csv:2: image 0 has no subgroup: name one, such as other");
  expect_refused("index,subgroup\n0,a \n", "light.csv:2: subgroup 'a ' begins or ends with a blank");
  expect_refused("index,subgroup\n0,a\n1,b\n3,b\n4,b\n5,b\n",
                 "light.csv:6: ends without image 2, which the study tests");
  expect_refused("image,subgroup\ncat/0.jpg,a\nemu/4.jpg,b\n",
                 "light.csv:3: ends without image 'cat/1.jpg' and 3 more, which the study tests", true);
  expect_refused("index,subgroup\n0,a\n1,a\n2,b\n", "light.csv:4: has all images that the study tests in one subgroup",
                 false, {0});
  expect_refused("index,subgroup\n0,\"a\n", "light.csv:2: a quote is opened and not closed");
}

TEST(Subgroups, AColumnOfIdsIsNoDivision) {
  const DatasetPair many = fake_fashion_mnist(1, 101);
  std::string text = "index,subgroup\n";
  for (int i = 0; i < 1010; ++i) text += fmt::format("{0},id{0}\n", i);
  try {
    parse_subgroups(text, "ids.csv", *many.test, std::vector<std::int64_t>{0});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("has 1010 subgroups of 1010 images, at most 1000 can be told apart"));
  }
}

/// Test images of the synthetic study by the parity of their index.
std::string parity_file(std::int64_t images) {
  std::string text = "index,subgroup\n";
  for (std::int64_t i = 0; i < images; ++i) text += fmt::format("{},{}\n", i, i % 2 == 0 ? "even" : "odd");
  return text;
}

TEST(Subgroups, AreFoundBesideTheStudyAndThenInItsFolder) {
  StudyBench bench({}, {});
  Plan plan = bench.plan();
  const Dataset& test = *bench.environment().data.target.test;
  const TemporaryFolder folder;
  EXPECT_TRUE(find_subgroups(plan, test, folder.path() / "study.yaml", folder.path()).empty());
  EXPECT_FALSE(manifest_entry({}).has_value());
  plan.study.subgroups = "tables/parity.csv";
  EXPECT_THROW(find_subgroups(plan, test, folder.path() / "study.yaml", folder.path()), Error);
  write_text(folder.path() / "parity.csv", parity_file(test.size()));
  const Subgroups there = find_subgroups(plan, test, folder.path() / "study.yaml", folder.path());
  EXPECT_THAT(there.names, ElementsAre("even", "odd"));
  keep_subgroups(there, folder.path());
  EXPECT_EQ(read_text(subgroups_path(folder.path())), there.text);
  std::filesystem::remove(folder.path() / "parity.csv");
  const Subgroups kept = find_subgroups(plan, test, folder.path() / "study.yaml", folder.path());
  EXPECT_EQ(kept.of_image, there.of_image);
  EXPECT_EQ(manifest_entry(kept)->sha256, manifest_entry(there)->sha256);
  EXPECT_EQ(manifest_entry(kept)->file, "parity.csv");
}

/// Against the answers of each network, counted here image by image.
TEST(Subgroups, AreCountedOnTargetHalves) {
  StudyBench bench({}, {});
  RunEnvironment& environment = bench.environment();
  environment.subgroups =
      parse_subgroups(parity_file(36), "parity.csv", *environment.data.target.test, std::vector<std::int64_t>{3, 4, 5});
  const RunSpec& run = bench.find("AnB", 1);
  const RunResult result = bench.execute(run);
  const HalfData half = open_half(environment.study, environment.data, run);
  std::vector<std::array<std::int64_t, 2>> tested(2);
  for (const std::int64_t item : half.test_items) ++tested[static_cast<std::size_t>(item % 2)][1];
  ASSERT_EQ(result.by_subgroup.size(), 2);
  EXPECT_EQ(result.by_subgroup[0][1], tested[0][1]);
  EXPECT_EQ(result.by_subgroup[1][1], tested[1][1]);
  EXPECT_EQ(result.by_subgroup[0][0] + result.by_subgroup[1][0], result.correct);
  EXPECT_EQ(test_again(run, environment, bench.backend()).by_subgroup, result.by_subgroup);
  EXPECT_TRUE(bench.execute(bench.find("base", 0, "A")).by_subgroup.empty());
}

}  // namespace
}  // namespace graft::testing
