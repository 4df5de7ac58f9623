#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests/tools/graft_process.h"
#include "tests/tools/study_folder_fixture.h"

namespace graft::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Json = nlohmann::json;

const std::string kPublished = std::string(GRAFT_SOURCE_DIR) + "/studies/reference/yosinski2014_runs.csv";

class Contrasts : public StudyFolderTest {
 protected:
  std::string table(const std::string& text) const {
    write(path("runs.csv"), text);
    return path("runs.csv").string();
  }
};

TEST_F(Contrasts, JsonHoldsThePublishedFigures) {
  const ProcessResult result = run_graft({"contrasts", kPublished, "--json"});
  ASSERT_EQ(result.code, 0) << result.error;
  std::set<std::string> untrained;
  std::set<std::string> refused;
  int found = 0;
  for (const Json& row : Json::parse(result.out)) {
    for (const Json& run : row.at("untrained").at("runs")) untrained.insert(run.get<std::string>());
    if (row.at("refused").get<bool>()) {
      refused.insert(row.at("contrast").get<std::string>());
      EXPECT_TRUE(row.at("mean").is_null());
      EXPECT_THAT(row.at("reason").get<std::string>(), HasSubstr("no common pair"));
    }
    if (row.at("contrast") != "AnB - base" || row.at("n") != 5 || row.at("splits") != "random") continue;
    ++found;
    EXPECT_EQ(row.at("pairs"), 8);
    EXPECT_NEAR(row.at("mean").get<double>(), -0.0471, 0.5e-4);
    EXPECT_NEAR(row.at("half_width").get<double>(), 0.0024, 0.5e-4);
    EXPECT_NEAR(row.at("hi").get<double>() - row.at("lo").get<double>(), 2 * row.at("half_width").get<double>(), 1e-12);
    EXPECT_EQ(row.at("verdict"), "negative transfer");
  }
  EXPECT_EQ(found, 1);
  EXPECT_THAT(refused, ElementsAre("AnB+ - BnB+"));
  EXPECT_THAT(untrained, ElementsAre("nolearn_1_3", "reduced-0005", "reduced-0010", "reduced-0025", "reduced-0050",
                                     "reduced-0100"));
}

TEST_F(Contrasts, TextNamesWhatWasAssumed) {
  const ProcessResult result = run_graft({"contrasts", kPublished});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("AnB - base     4      8      8  -0.0253  0.0031"));
  EXPECT_THAT(result.out, HasSubstr("what did not train (6 of 148 networks"));
  EXPECT_THAT(result.out, HasSubstr("--classes was not given"));
  EXPECT_THAT(result.out, HasSubstr("No --margin was stated"));
}

TEST_F(Contrasts, ATableAtFaultIsOneLineAndCodeThree) {
  const ProcessResult result =
      run_graft({"contrasts", table("treatment,split,source,target,n,top1\nbase,s,B,B,0,75\n")});
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(lines_of(result.error).size(), 1u);
  EXPECT_THAT(result.error, HasSubstr("runs.csv:2: column top1: 75 is no fraction from 0 to 1: divide percent by 100"));
  EXPECT_EQ(run_graft({"contrasts", path("none.csv").string()}).code, 3);
  EXPECT_EQ(run_graft({"contrasts", kPublished, "--level", "95"}).code, 2);
  EXPECT_EQ(run_graft({"contrasts", kPublished, "--margin", "-1"}).code, 2);
}

TEST_F(Contrasts, NothingThatATerminalObeysIsPrinted) {
  const ProcessResult result = run_graft(
      {"contrasts", table("treatment,split,source,target,n,top1\nbase,s,B,B,0,0.5\nAnB\x1b[31m,s,A,B,1,0.6\n")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
  EXPECT_THAT(result.out, HasSubstr("AnB?[31m"));
}

}  // namespace
}  // namespace graft::testing
