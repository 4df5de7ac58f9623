// `graft study recommend`.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/philox.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kUsage = 2;
constexpr int kData = 3;

class Recommend : public StudyFolderTest {
 protected:
  Recommend() {
    edit_study("epochs: 1", "epochs: 3");
    edit_study("seeds: [0]", "seeds: [0, 1]");
  }
  ProcessResult recommend(const std::vector<std::string>& more = {}, const std::string& output = "search") const {
    return run_graft(words("recommend", more, output));
  }
  /// What two equal searches share.
  Json findings(const std::vector<std::string>& more, const std::string& output) const {
    std::vector<std::string> flags{"--json"};
    flags.insert(flags.end(), more.begin(), more.end());
    const ProcessResult result = recommend(flags, output);
    EXPECT_EQ(result.code, 0) << result.error;
    Json json = Json::parse(result.out);
    json.erase("seconds");
    return json;
  }
  void expect_verified(const std::string& output) const {
    const ProcessResult result = run_graft({"study", "verify", path(output).string(), "--data-dir", data().string()});
    EXPECT_EQ(result.code, 0) << result.out << result.error;
    EXPECT_EQ(result.error, "") << "every network is tested again";
  }
  std::string record_of(const std::string& output) const { return read(path(output) / "search.jsonl"); }
};

TEST_F(Recommend, SearchesDecidesAndSaysWhatItRestsOn) {
  const ProcessResult result = recommend();
  ASSERT_EQ(result.code, 0) << result.error;
  for (const char* part : {"target: Pullover, Dress, Coat\n36 training images: 24 to search with, 6 to rank on, 6 held "
                           "out; its test set is not read",
                           "not searched, since nothing in it comes from the source: BnB, BnB+, random",
                           "rung 0: 5 candidates, 1 epoch each, seed 2, ranked on 6 images",
                           "rung 1: 2 candidates, 3 epochs each", "held out: 6 images that no rung has seen",
                           "for this split only", "the search's own score of AnB", "what to use\n", "time used: "}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << "no '" << part << "' in:\n" << result.out;
  }
  // A finished search is told again from its record, by the study or by its folder.
  const std::string before = record_of("search");
  const ProcessResult again = run_graft({"study", "recommend", path("search").string(), "--data-dir", data().string()});
  EXPECT_EQ(again.code, 0) << again.error;
  EXPECT_EQ(lines_of(again.out).size(), lines_of(result.out).size());
  EXPECT_EQ(record_of("search"), before);
  EXPECT_FALSE(fs::exists(path("search") / "features"));
}

TEST_F(Recommend, JsonTellsTheSame) {
  const Json json = findings({}, "search");
  ASSERT_EQ(json.at("rungs").size(), 2u);
  EXPECT_EQ(json.at("rungs")[0].at("candidates").size(), 5u);
  EXPECT_EQ(json.at("rungs")[1].at("candidates").size(), 2u);
  EXPECT_TRUE(json.at("not_looked_at").is_null());
  const Json& held_out = json.at("held_out");
  EXPECT_EQ(held_out.at("networks").size(), 4u);
  EXPECT_EQ(held_out.at("difference").at("units"), 2);
  for (const Json& network : held_out.at("networks")) EXPECT_EQ(network.at("n"), 6);
  EXPECT_TRUE(json.at("recommendation").contains("search_difference"));
}

TEST_F(Recommend, JobsRepetitionAndABudgetThatDoesNotBindChangeNothing) {
  const Json one = findings({"--jobs", "1"}, "one");
  EXPECT_EQ(findings({"--jobs", "2", "--budget", "10h"}, "two"), one);
  EXPECT_EQ(findings({"--no-feature-cache"}, "uncached"), one);
}

TEST_F(Recommend, KilledAnywhereItComesToTheSame) {
  const auto start = std::chrono::steady_clock::now();
  const Json alone = findings({}, "alone");
  const double whole = Milliseconds(std::chrono::steady_clock::now() - start).count();
  const RandomStream random{.seed = 21, .stream = stream_of("kills")};
  int killed = 0;
  for (std::uint64_t i = 0; i < 10; ++i) {
    GraftProcess process(words("recommend", {}, "killed"));
    std::this_thread::sleep_for(Milliseconds(0.5 * whole * static_cast<double>(uniform_float(random.word(0, i)))));
    if (process.running()) process.send(SIGKILL);
    const ProcessResult end = process.wait();
    if (end.signal == SIGKILL)
      ++killed;
    else
      EXPECT_EQ(end.code, 0) << end.error;
  }
  EXPECT_GT(killed, 0);
  EXPECT_EQ(findings({}, "killed"), alone);
}

TEST_F(Recommend, InterruptedItSaysHowToGoOn) {
  edit_study("epochs: 3", "epochs: 100000");
  GraftProcess process(words("recommend"));
  while (!fs::exists(path("results") / "runs") && process.running()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  process.send(SIGINT);
  const ProcessResult result = process.wait();
  EXPECT_EQ(result.code, 130);
  const std::vector<std::string> lines = lines_of(result.error);
  ASSERT_EQ(lines.size(), 2u) << result.error;
  EXPECT_EQ(lines[0], "graft: rung 0, 5 candidates");
  EXPECT_TRUE(lines[1].starts_with("graft: interrupted; 0 networks are done; go on with: ")) << lines[1];
  EXPECT_NE(lines[1].find("study recommend " + path("small.yaml").string()), std::string::npos) << lines[1];
}

TEST_F(Recommend, ABudgetTooSmallForOneRung) {
  expect_one_line(recommend({"--budget", "0.001s"}), kUsage,
                  {"--budget is ", "too little for one rung of 5 candidates", "give at least"});
  EXPECT_FALSE(fs::exists(path("search") / "runs")) << "nothing is trained";
  // Nothing is settled by it either.
  EXPECT_EQ(recommend({"--eta", "2"}).code, 0);
}

TEST_F(Recommend, FlagsThatMakeNoSense) {
  expect_one_line(recommend({"--budget", "soon"}), kUsage, {"--budget soon", "90s, 10m or 1.5h"});
  expect_one_line(recommend({"--budget", "0m"}), kUsage, {"--budget 0m"});
  expect_one_line(recommend({"--budget", "5d"}), kUsage, {"--budget 5d"});
  expect_one_line(recommend({"--eta", "1"}), kUsage, {"--eta"});
  expect_one_line(recommend({"--min-epochs", "0"}), kUsage, {"--min-epochs"});
  expect_one_line(recommend({"--validation", "0"}), kUsage, {"--validation is 0"});
  expect_one_line(recommend({"--held-out", "1.5"}), kUsage, {"--held-out is 1.5"});
  expect_one_line(recommend({"--validation", "0.5", "--held-out", "0.5"}), kUsage, {"leave nothing to train on"});
  expect_one_line(recommend({"--split", "random0"}), kUsage, {"--split random0", "named"});
  EXPECT_FALSE(fs::exists(path("search")));
}

TEST_F(Recommend, ARungTooShortForAPolicy) {
  edit_study("samples:", "fine_tuning: {policies: [lp-ft], lp_ft_epochs: 1}\nsamples:");
  expect_one_line(recommend({"--min-epochs", "1"}), kUsage, {"--min-epochs 1", "lp-ft", "give at least 2"});
  EXPECT_FALSE(fs::exists(path("search"))) << "nothing is written";
}

TEST_F(Recommend, NoTreatmentThatCarriesLayersOver) {
  edit_study("[base, BnB, BnB+, AnB, AnB+, random]", "[base, BnB, random]");
  expect_one_line(recommend(), kData, {"small", "add AnB or AnB+ to `treatments`"});
}

TEST_F(Recommend, TooFewImagesForThreeParts) {
  edit_study("train_per_class: 12", "train_per_class: 2");
  edit_study("batch_size: 8", "batch_size: 2");
  expect_one_line(recommend(), kData, {"class 'Pullover' has 2 training images", "samples.train_per_class"});
  expect_one_line(recommend({"--validation", "0.4", "--held-out", "0.4"}), kData, {"0 to train on"});
}

/// A base network of the source half, given as a file of published weights.
TEST_F(Recommend, PublishedWeightsAreASource) {
  edit_study("samples:", "images: published\nsamples:");
  ASSERT_EQ(run({}, "within").code, 0);
  std::string base;
  for (const RunResult& result : read_results(path("within"))) {
    if (result.treatment == "base" && result.target == "A") base = result.id;
  }
  const fs::path weights = path("within") / "runs" / base / "checkpoint.safetensors";
  edit_study("  source: [Trouser, Sandal, Sneaker]",
             "  source: {checkpoint: \"" + weights.string() + "\", license: none}");
  const Json json = findings({}, "search");
  EXPECT_EQ(json.at("rungs")[0].at("candidates").size(), 5u);
  EXPECT_EQ(record_of("search").find("\"stage\":\"source\""), std::string::npos) << "nothing is trained on a source";
  EXPECT_TRUE(fs::exists(path("search") / "source.safetensors"));
  expect_verified("search");
}

TEST_F(Recommend, OneSplitOfSeveral) {
  edit_study("  source: [Trouser, Sandal, Sneaker]\n  target: [Pullover, Dress, Coat]", "  random_halves: 2");
  expect_one_line(recommend(), kUsage, {"2 splits", "--split", "random0, random1"});
  EXPECT_EQ(findings({"--split", "random1"}, "search").at("split"), "random1");
  expect_verified("search");
  expect_one_line(recommend({"--split", "random0"}), kData, {"begun with split random1, now it is random0"});
}

TEST_F(Recommend, AStudysFolderStaysAStudys) {
  ASSERT_EQ(run({}, "results").code, 0);
  expect_one_line(recommend({}, "results"), kData, {"results", "holds the results of a study", "--output"});
}

}  // namespace
}  // namespace graft::testing
