// `graft study verify` and `graft study export`.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "engine/io/sha256.h"
#include "tests/tools/study_folder_fixture.h"
#include "transfer/record.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

class Verify : public StudyFolderTest {
 protected:
  ProcessResult verify(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"study", "verify", path("results").string(), "--data-dir", data().string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_graft(words);
  }
  /// Changes one byte of a file, expects a fault that names `part`, and changes it back.
  void expect_found(const fs::path& file, std::size_t at, const std::string& part) const {
    const std::string before = read(file);
    ASSERT_LT(at, before.size()) << file;
    std::string changed = before;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write(file, changed);
    const ProcessResult result = verify();
    EXPECT_EQ(result.code, 3) << file << result.out << result.error;
    EXPECT_NE(result.error.find(part), std::string::npos) << file << ": " << result.error;
    write(file, before);
  }
};

TEST_F(Verify, AFolderThatWasNotTouched) {
  ASSERT_EQ(run().code, 0);
  const ProcessResult result = verify();
  EXPECT_EQ(result.code, 0) << result.out << result.error;
  EXPECT_NE(result.out.find("12 lines, 25 files and 12 networks tested again are as recorded"), std::string::npos)
      << result.out;
  EXPECT_NE(verify({"--no-evaluate"}).out.find("0 networks tested again"), std::string::npos);
}

TEST_F(Verify, EveryChangeIsNamed) {
  ASSERT_EQ(run().code, 0);
  const RunResult last = read_results(path("results")).back();
  const fs::path record = path("results") / "results.jsonl";
  const fs::path folder = path("results") / "runs" / last.id;
  expect_found(record, read(record).find("\"top1\":0.") + 9, "results.jsonl:");
  expect_found(folder / "checkpoint.safetensors", fs::file_size(folder / "checkpoint.safetensors") - 1, last.id);
  expect_found(folder / "log.txt", 3, last.id);
  expect_found(data() / "t10k-images-idx3-ubyte", 5000, "fashion-mnist: its test images");
  expect_found(data() / "train-labels-idx1-ubyte", 20, "fashion-mnist: its train images");
  expect_found(path("results") / "study.yaml", read(path("results") / "study.yaml").find("0.02") + 3, "study.yaml");
  expect_found(path("results") / "report.html", 1000, "report.html");
  expect_found(path("results") / "figures" / "accuracy.svg", 1000, "accuracy.svg");
  fs::remove(folder / "checkpoint.safetensors");
  EXPECT_NE(verify().error.find("is missing"), std::string::npos);
}

/// A line whose hash was made to fit is found by what it claims.
TEST_F(Verify, AClaimThatTheWeightsDoNotBear) {
  ASSERT_EQ(run().code, 0);
  std::vector<RunResult> results = read_results(path("results"));
  results[2].correct = results[2].correct == 0 ? 1 : results[2].correct - 1;
  results[2].top1 = static_cast<double>(results[2].correct) / static_cast<double>(results[2].n_test);
  std::string text;
  for (const RunResult& result : results) text += to_json_line(result) + "\n";
  write(path("results") / "results.jsonl", text);
  const ProcessResult result = verify();
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.error.find("run " + results[2].id + ": its weights answer"), std::string::npos) << result.error;
}

TEST_F(Verify, NoStudysFolder) {
  fs::create_directories(path("results"));
  expect_one_line(verify(), 3, {"manifest.json"});
}

/// A search's folder.
class VerifySearch : public Verify {
 protected:
  VerifySearch() {
    edit_study("epochs: 1", "epochs: 3");
    const ProcessResult result = run_graft(words("recommend"));
    EXPECT_EQ(result.code, 0) << result.error;
  }
  fs::path record() const { return path("results") / "search.jsonl"; }
  /// A line of the record that holds `part`, without its hash.
  std::string line_with(const std::string& part) const {
    for (const std::string& line : lines_of(read(record()))) {
      if (line.find(part) != std::string::npos) return line.substr(0, line.rfind(",\"sha256\"")) + "}";
    }
    ADD_FAILURE() << "no line with " << part;
    return "";
  }
  static std::string id_in(const std::string& line) { return line.substr(line.find("\"id\":\"") + 6, 16); }
};

TEST_F(VerifySearch, AFolderThatWasNotTouched) {
  // A line each for settings and recommendation; two of the source's networks, rungs of 5 and 2, and 2 that decide.
  const ProcessResult result = verify();
  EXPECT_EQ(result.code, 0) << result.out << result.error;
  EXPECT_NE(result.out.find("13 lines, 12 files and 11 networks tested again are as recorded"), std::string::npos)
      << result.out;
  EXPECT_NE(verify({"--no-evaluate"}).out.find("0 networks tested again"), std::string::npos);
  const ProcessResult elsewhere = verify({"--threads", "2"});
  EXPECT_EQ(elsewhere.code, 0) << elsewhere.error;
  EXPECT_NE(elsewhere.error.find("were not computed again"), std::string::npos) << elsewhere.error;
}

TEST_F(VerifySearch, EveryChangeIsNamed) {
  const std::string decided = id_in(line_with("\"held-out\""));
  const fs::path weights = path("results") / "runs" / decided / "checkpoint.safetensors";
  expect_found(record(), read(record()).find("\"correct\":") + 10, "search.jsonl:2: the line was changed");
  expect_found(weights, fs::file_size(weights) - 1, decided);
  expect_found(data() / "train-images-idx3-ubyte", 5000, "fashion-mnist: its train images");
  expect_found(path("results") / "study.yaml", read(path("results") / "study.yaml").find("0.02") + 3, "study.yaml");
  fs::remove(weights);
  EXPECT_NE(verify().error.find("is missing"), std::string::npos);
}

/// Lines whose hashes were made to fit are found by what they claim: answers, and settings that other runs come from.
TEST_F(VerifySearch, AClaimThatTheWeightsDoNotBear) {
  const std::string before = read(record());
  const auto expect_fault = [&](const std::string& line, const std::string& from, const std::string& to,
                                const std::string& part) {
    std::string forged = line;
    ASSERT_NE(forged.find(from), std::string::npos) << line;
    forged.replace(forged.find(from), from.size(), to);
    const auto sealed = [](const std::string& json) {
      return json.substr(0, json.size() - 1) + ",\"sha256\":\"" + sha256_hex(json) + "\"}";
    };
    std::string text = before;
    text.replace(text.find(sealed(line)), sealed(line).size(), sealed(forged));
    write(record(), text);
    const ProcessResult result = verify();
    EXPECT_EQ(result.code, 3) << result.out;
    EXPECT_NE(result.error.find(part), std::string::npos) << result.error;
    write(record(), before);
  };
  for (const char* stage : {"\"source\"", "\"rung\"", "\"held-out\""}) {
    const std::string line = line_with(std::string("\"stage\":") + stage);
    const std::string claim = line.substr(line.find("\"correct\":"), line.find(",\"n\":") - line.find("\"correct\":"));
    expect_fault(line, claim, claim + "1", "run " + id_in(line) + ": its weights answer");
  }
  expect_fault(line_with("\"kind\":\"search\""), "\"--held-out\":\"0.2\"", "\"--held-out\":\"0.3\"",
               "settings give no run of this id");
  expect_fault(line_with("\"kind\":\"search\""), "\"--eta\":\"3\"", "\"--eta\":\"three\"", "--eta is 'three'");
}

TEST_F(VerifySearch, WhatReadsOrTrainsAStudyRefusesIt) {
  const std::string before = read(record());
  expect_one_line(run(), 3, {"results", "holds the search of a study", "--output"});
  for (const char* command : {"report", "export"}) {
    expect_one_line(run_graft({"study", command, path("results").string()}), 3,
                    {"holds a search", "graft study recommend"});
  }
  EXPECT_EQ(read(record()), before);
  EXPECT_FALSE(fs::exists(path("results") / "results.jsonl"));
}

TEST_F(Verify, ExportIsATableThatContrastsReads) {
  edit_study("seeds: [0]", "seeds: [0, 1]");
  ASSERT_EQ(run().code, 0);
  const ProcessResult table = run_graft({"study", "export", path("results").string()});
  ASSERT_EQ(table.code, 0) << table.error;
  const std::vector<std::string> lines = lines_of(table.out);
  ASSERT_EQ(lines.size(), 1 + read_results(path("results")).size());
  const auto commas = std::count(lines[0].begin(), lines[0].end(), ',');
  for (const std::string& line : lines) EXPECT_EQ(std::count(line.begin(), line.end(), ','), commas) << line;
  write(path("table.csv"), table.out);
  const ProcessResult contrasts = run_graft({"contrasts", path("table.csv").string()});
  EXPECT_EQ(contrasts.code, 0) << contrasts.error;
  EXPECT_NE(contrasts.out.find("AnB+ - base"), std::string::npos) << contrasts.out;
}

}  // namespace
}  // namespace graft::testing
