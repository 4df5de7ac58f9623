#include "transfer/manifest.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"

namespace graft {
namespace {

Manifest sample() {
  return testing::invented_manifest(testing::plan_of(read_study(testing::shipped_study("fashion-mnist-random"))));
}

TEST(Manifest, RoundTrip) {
  const TemporaryFolder folder;
  write_manifest(folder.path(), sample());
  const Manifest back = read_manifest(folder.path());
  EXPECT_EQ(manifest_to_json(back), manifest_to_json(sample()));
  EXPECT_EQ(back.splits.size(), 4u);
  EXPECT_EQ(back.binaries.front().versions.at("oneDNN"), "2.6.3");
  EXPECT_EQ(back.command_lines, sample().command_lines);
}

TEST(Manifest, SplitsByClassNameWithTheirHash) {
  const std::vector<std::string> names = testing::fake_fashion_mnist().train->class_names();
  const auto splits =
      manifest_splits(testing::plan_of(read_study(testing::shipped_study("fashion-mnist-clothing"))), names, names);
  ASSERT_EQ(splits.size(), 1u);
  EXPECT_EQ(splits[0].name, "named");
  EXPECT_EQ(splits[0].source, (std::vector<std::string>{"Trouser", "Sandal", "Sneaker", "Bag", "Ankle boot"}));
  EXPECT_EQ(splits[0].sha256.size(), 64u);
  EXPECT_NE(splits[0].sha256, sample().splits[0].sha256);
}

TEST(Manifest, LicencesOfWhatAStudyTakesIn) {
  Study study = read_study(testing::shipped_study("fashion-mnist-clothing"));
  EXPECT_EQ(licenses_of(study), (std::map<std::string, std::string>{{"data", "MIT"}}));
  study.license = "CC-BY-4.0";
  study.source_dataset = "cifar10";
  EXPECT_EQ(licenses_of(study),
            (std::map<std::string, std::string>{{"data", "CC-BY-4.0"}, {"source_data", "none stated"}}));
  study = read_study(testing::shipped_study("lite0-fashion"));
  EXPECT_EQ(licenses_of(study).at("source_weights"), "Apache-2.0");
  study.dataset = "imagefolder";
  study.source_license.clear();
  EXPECT_EQ(licenses_of(study),
            (std::map<std::string, std::string>{{"data", "not stated"}, {"source_weights", "not stated"}}));
  Manifest manifest = sample();
  manifest.licenses = licenses_of(study);
  EXPECT_EQ(manifest_from_json(manifest_to_json(manifest), "here").licenses, manifest.licenses);
  EXPECT_EQ(
      parse_study("license: Apache-2.0\n" + read_text(testing::shipped_study("fashion-mnist-random")), "s").license,
      "Apache-2.0");
}

TEST(Manifest, ABinaryStandsOnceAndTheLatestLast) {
  Manifest manifest;
  add_binary(manifest, {"a", {}});
  add_binary(manifest, {"b", {}});
  add_binary(manifest, {"a", {{"fmt", "9"}}});
  ASSERT_EQ(manifest.binaries.size(), 2u);
  EXPECT_EQ(manifest.binaries[0].sha256, "b");
  EXPECT_EQ(manifest.binaries[1].versions.size(), 1u);
}

TEST(Manifest, MissingOrDamaged) {
  const TemporaryFolder folder;
  const auto error_of_folder = [&]() -> std::string {
    try {
      read_manifest(folder.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      return error.what();
    }
    return "no error";
  };
  EXPECT_NE(error_of_folder().find("manifest.json: missing"), std::string::npos);
  for (const char* text : {"", "{}", "[]", "{\"study\": 3}"}) {
    testing::write_text(folder.path() / "manifest.json", text);
    EXPECT_NE(error_of_folder().find("manifest.json: no manifest of a study"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace graft
