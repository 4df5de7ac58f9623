#include "transfer/record.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/sha256.h"
#include "tests/transfer/study_fixture.h"

namespace graft {
namespace {

using testing::write_text;

RunResult sample() {
  RunResult r;
  r.id = "0123456789abcdef";
  r.treatment = "AnB+";
  r.cut = 3;
  r.split = "named";
  r.source = "A";
  r.target = "B";
  r.seed = 18446744073709551615u;  // does not fit a double
  r.top1 = 0.8012;
  r.correct = 4006;
  r.n_test = 5000;
  r.classes = 5;
  r.epoch = 10;
  r.train_loss = 0.1 + 0.2;  // needs all 17 digits
  r.frozen_hash_before = "aa";
  r.frozen_hash_after = "aa";
  r.binary = "bb";
  r.versions = {{"oneDNN", "2.6.3"}, {"fmt", "9.1.0"}};
  r.seconds = 1.25;
  return r;
}

std::string error_of(const std::string& line) {
  try {
    result_from_json(line, "results.jsonl:12");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "no error";
}

TEST(Record, CountsByClassAreOptional) {
  RunResult r = sample();
  EXPECT_EQ(to_json_line(r).find("by_class"), std::string::npos);
  EXPECT_TRUE(result_from_json(to_json_line(r), "x").by_class.empty());
  r.by_class = {{3, 4}, {0, 5}};
  const std::string line = to_json_line(r);
  EXPECT_NE(line.find(R"("by_class":[[3,4],[0,5]])"), std::string::npos) << line;
  EXPECT_EQ(fault_of_line(line), "");
  EXPECT_EQ(result_from_json(line, "x").by_class, r.by_class);
  EXPECT_EQ(line.find("by_subgroup"), std::string::npos);
  EXPECT_TRUE(result_from_json(line, "x").by_subgroup.empty());
  r.by_subgroup = {{2, 3}, {1, 6}};
  EXPECT_NE(to_json_line(r).find(R"("by_subgroup":[[2,3],[1,6]])"), std::string::npos) << to_json_line(r);
  EXPECT_EQ(result_from_json(to_json_line(r), "x").by_subgroup, r.by_subgroup);
}

TEST(Record, LineHasTheFieldsOfTheDesign) {
  const std::string line = to_json_line(sample());
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(line);
  for (const char* field : {"id", "treatment", "cut", "split", "source", "target", "seed", "top1", "correct", "n_test",
                            "classes", "epoch", "train_loss", "status", "seconds", "binary", "versions"}) {
    EXPECT_TRUE(json.contains(field)) << field;
  }
  EXPECT_EQ(json["status"], "ok");
}

TEST(Record, WhatAutoChoseIsKeptWhereItChose) {
  RunResult r = sample();
  EXPECT_EQ(to_json_line(r).find("choices"), std::string::npos);
  r.choices = {{"gemm f32 f32 nn 1x2x3x4", "cublas"}, {"gemm library", "cuBLAS 13.1.0"}};
  EXPECT_EQ(result_from_json(to_json_line(r), "here").choices, r.choices);
}

TEST(Record, ALineKnowsItsOwnHash) {
  RunResult r = sample();
  r.files = {{"log.txt", "ab"}};
  const std::string line = to_json_line(r);
  EXPECT_EQ(fault_of_line(line), "");
  EXPECT_EQ(fault_of_line(line.substr(0, line.rfind(",\"sha256\"")) + "}"), "has no sha256");
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string changed = line;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(fault_of_line(changed), "") << "byte " << i;
  }
  // sha256sum agrees: the hash of the line without the field.
  EXPECT_EQ(line.substr(line.size() - 66, 64), sha256_hex(line.substr(0, line.rfind(",\"sha256\"")) + "}"));
}

TEST(Record, RoundTripKeepsEveryBit) {
  const RunResult r = sample();
  const RunResult back = result_from_json(to_json_line(r), "here");
  EXPECT_EQ(to_json_line(back), to_json_line(r));
  EXPECT_EQ(back.seed, r.seed);
  EXPECT_EQ(back.top1, r.top1);
  EXPECT_EQ(back.train_loss, r.train_loss);
  EXPECT_EQ(back.seconds, r.seconds);
  EXPECT_EQ(back.versions, r.versions);
}

TEST(Record, FailureWithAnyMessage) {
  RunResult r = sample();
  r.status = "failed";
  r.error = "a \"quoted\"\nline with a byte that is no UTF-8: \xff";
  r.train_loss = std::numeric_limits<double>::quiet_NaN();
  const std::string line = to_json_line(r);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const RunResult back = result_from_json(line, "here");
  EXPECT_EQ(back.status, "failed");
  EXPECT_TRUE(std::isnan(back.train_loss));
  EXPECT_EQ(back.error.substr(0, 13), "a \"quoted\"\nli");
  EXPECT_EQ(comparable_lines({r}).size(), 1u);
}

TEST(Record, DamagedLinesNameTheirPlace) {
  const std::string line = to_json_line(sample());
  for (const std::string& damaged :
       {std::string("{"), std::string("[]"), std::string(""), line.substr(0, line.size() / 2),
        std::string("{\"id\": \"a\"}"), std::string("null")}) {
    EXPECT_EQ(error_of(damaged).rfind("results.jsonl:12: ", 0), 0u) << damaged;
  }
  auto json = nlohmann::json::parse(line);
  json["status"] = "perhaps";
  EXPECT_EQ(error_of(json.dump()), "results.jsonl:12: status is 'perhaps', expected ok or failed");
  json["status"] = "ok";
  json["cut"] = "three";
  EXPECT_EQ(error_of(json.dump()).rfind("results.jsonl:12: ", 0), 0u);
}

TEST(Record, ReadsAFolder) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_results(folder.path()).empty());
  RunResult first = sample();
  RunResult second = sample();
  second.id = "fedcba9876543210";
  const std::string text = to_json_line(first) + "\n" + to_json_line(second) + "\n";
  write_text(folder.path() / "results.jsonl", text);
  const auto results = read_results(folder.path());
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].id, first.id);
  EXPECT_EQ(results[1].id, second.id);
}

TEST(Record, ATornLastLineIsNotRead) {
  const TemporaryFolder folder;
  const std::string line = to_json_line(sample());
  // even a whole record counts as torn until its newline is there: it may be the start of a longer line
  for (const std::size_t kept : {std::size_t{1}, line.size() / 2, line.size()}) {
    write_text(folder.path() / "results.jsonl", line + "\n" + line.substr(0, kept));
    EXPECT_EQ(read_results(folder.path()).size(), 1u) << kept << " bytes of the last line";
  }
}

TEST(Record, ADamagedLineInTheMiddleIsAnError) {
  const TemporaryFolder folder;
  const std::string line = to_json_line(sample());
  write_text(folder.path() / "results.jsonl", line + "\n" + line.substr(0, 20) + "\n" + line + "\n");
  try {
    read_results(folder.path());
    FAIL() << "read a damaged line";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("results.jsonl:2: "), std::string::npos) << error.what();
    EXPECT_EQ(error.kind(), ErrorKind::data);
  }
}

TEST(Record, EqualityIgnoresOrderAndSecondsOnly) {
  RunResult a = sample();
  RunResult b = sample();
  b.id = "b";
  std::vector<RunResult> here{a, b};
  std::vector<RunResult> there{b, a};
  there[0].seconds = 99.0;
  EXPECT_EQ(comparable_lines(here), comparable_lines(there));
  there[1].train_loss = std::nextafter(there[1].train_loss, 1.0);
  EXPECT_NE(comparable_lines(here), comparable_lines(there));
}

TEST(Record, TheLastLineOfARunCounts) {
  RunResult failed = sample();
  failed.status = "failed";
  RunResult other = sample();
  other.id = "other";
  const auto last = last_of_each({failed, other, sample()});
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].status, "ok");
  EXPECT_EQ(last[1].id, "other");
}

}  // namespace
}  // namespace graft
