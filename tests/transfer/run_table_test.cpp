#include "transfer/run_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"

namespace graft {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kHead = "treatment,split,source,target,n,top1\n";

/// The message of Error(data) that reading the text throws, "" if it throws none.
std::string fault_of(const std::string& text) {
  try {
    parse_run_table(text, "runs.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "";
}

TEST(RunTable, ReadsColumnsByNameInAnyOrder) {
  const RunTable table = parse_run_table(
      "\xEF\xBB\xBFtop1,n,target,source,split,treatment,seed,classes,n_test,final_train_loss,iterations,run,lr\r\n"
      "0.75,3,B,A,random0,AnB,7,5,500,1.6,1000,\"a, \"\"b\"\"\",.1\r\n\r\n"
      "0.8,0,B,B,random0,base,,,,,,,\r\n",
      "runs.csv");
  ASSERT_EQ(table.runs.size(), 2u);
  const TableRun& first = table.runs[0];
  EXPECT_EQ(first.run, "a, \"b\"");
  EXPECT_EQ(first.observation.treatment, "AnB");
  EXPECT_EQ(first.observation.cut, 3);
  EXPECT_EQ(first.observation.source, "A");
  EXPECT_EQ(first.observation.seed, 7u);
  EXPECT_EQ(first.observation.top1, 0.75);
  EXPECT_EQ(first.observation.n_test, 500);
  EXPECT_EQ(first.observation.iterations, 1000);
  EXPECT_EQ(first.classes, 5);
  EXPECT_EQ(first.final_train_loss, 1.6);
  EXPECT_THAT(first.untrained, HasSubstr("ln 5 = 1.609"));
  EXPECT_EQ(table.runs[1].run, "line 4");
  EXPECT_EQ(table.runs[1].observation.seed, 0u);
  EXPECT_TRUE(table.runs[1].observation.trained);
  EXPECT_THAT(table.unused_columns, ElementsAre("lr"));
}

TEST(RunTable, ClassesComeFromTheRowThenTheOptionThenImageNet) {
  const std::string text = "treatment,split,source,target,n,top1,final_train_loss\nbase,s,B,B,0,0.2,1.6\n";
  EXPECT_FALSE(parse_run_table(text, "runs.csv", {.classes = 5}).runs[0].observation.trained);
  EXPECT_FALSE(parse_run_table(text, "runs.csv", {.classes = 5}).classes_assumed);
  const RunTable assumed = parse_run_table(text, "runs.csv");
  EXPECT_TRUE(assumed.runs[0].observation.trained);
  EXPECT_EQ(assumed.runs[0].classes, 1000);
  EXPECT_TRUE(assumed.classes_assumed);
  EXPECT_FALSE(parse_run_table(kHead + "base,s,B,B,0,0.2\n", "runs.csv").has_losses);
}

TEST(RunTable, NamesLineAndColumnOfWhatIsWrong) {
  EXPECT_THAT(fault_of(""), HasSubstr("runs.csv: is empty"));
  EXPECT_THAT(fault_of(kHead), HasSubstr("no row below it"));
  EXPECT_THAT(fault_of("treatment,split,source,target,n,top-1\n"),
              HasSubstr("runs.csv:1: no column top1 (is it top-1?)"));
  EXPECT_THAT(fault_of("treatment,split,source,target,n,top1,n\n"), HasSubstr("column n stands there twice"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0\n"), HasSubstr("runs.csv:2: 5 cells, the head line has 6"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0,0.5\nAnB,s,A,B,1,x\n"),
              HasSubstr("runs.csv:3: column top1: 'x' is no number"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0,75.2\n"), HasSubstr("divide percent by 100"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0,nan\n"), HasSubstr("column top1: nan is no fraction"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0,\n"), HasSubstr("column top1: is empty"));
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,2,0.5\n"), HasSubstr("column n: 2 for base"));
  EXPECT_THAT(fault_of(kHead + "AnB,s,A,B,1.5,0.5\n"), HasSubstr("column n: '1.5' is no whole number"));
  EXPECT_THAT(fault_of(kHead + "AnB,s,A,B,-1,0.5\n"), HasSubstr("column n: -1"));
  EXPECT_THAT(fault_of(kHead + "AnB,s,A,B,99999999999,0.5\n"), HasSubstr("column n: '99999999999' is out of range"));
  EXPECT_THAT(fault_of(kHead + ",s,A,B,1,0.5\n"), HasSubstr("column treatment: is empty"));
  EXPECT_THAT(fault_of(kHead + "AnB,s,A,,1,0.5\n"), HasSubstr("column target: is empty"));
  EXPECT_THAT(fault_of(kHead + "\"AnB,s,A,B,1,0.5\n"), HasSubstr("runs.csv:2: a quote is opened and not closed"));
  EXPECT_THAT(fault_of(kHead + "A\"nB,s,A,B,1,0.5\n"), HasSubstr("runs.csv:2: a quote within a cell"));
  EXPECT_THAT(fault_of(kHead + "\"AnB\"x,s,A,B,1,0.5\n"), HasSubstr("runs.csv:2: text after a closing quote"));
}

TEST(RunTable, TheSameNetworkTwiceWantsASeed) {
  EXPECT_THAT(fault_of(kHead + "base,s,B,B,0,0.5\nbase,s,B,B,0,0.6\n"),
              HasSubstr("runs.csv:3: base at n 0 of split s, target B, seed 0 stands in line 2 already"));
  EXPECT_EQ(fault_of("treatment,split,source,target,n,top1,seed\nbase,s,B,B,0,0.5,0\nbase,s,B,B,0,0.6,1\n"), "");
}

}  // namespace
}  // namespace graft
