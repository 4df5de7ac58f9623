#include "transfer/epoch_row.h"

#include <gtest/gtest.h>

#include "engine/base/error.h"

namespace graft::testing {
namespace {

TEST(EpochRow, SummaryReadsBackExactly) {
  const std::vector<EpochRow> rows{
      {.epoch = 0, .train_loss = 1.0 / 3.0, .eval_loss = 0.1, .eval_top1 = 0.5, .eval_top5 = 0.9, .lr = 0.05},
      {.epoch = 1, .train_loss = 1e-17, .eval_loss = 2.5e10, .eval_top1 = 2.0 / 3.0, .eval_top5 = 1.0, .lr = 0.1}};
  EXPECT_EQ(parse_summary_csv(summary_csv(rows), "summary.csv"), rows);
  EXPECT_TRUE(parse_summary_csv(summary_csv({}), "summary.csv").empty());
}

TEST(EpochRow, AurocsStandInPlaceOfAccuracies) {
  const std::vector<std::string> classes{"Mass", "Edema, \"mild\""};
  const std::vector<EpochRow> rows{
      {.epoch = 0, .train_loss = 0.5, .eval_loss = 0.25, .lr = 0.125, .eval_auroc = {{0.5, std::nullopt}, 0.5}},
      {.epoch = 1, .train_loss = 0.5, .eval_loss = 0.25, .lr = 0.125, .eval_auroc = {{1.0 / 3.0, 0.75}, 13.0 / 24.0}},
      {.epoch = 2, .train_loss = 0.5, .eval_loss = 0.25, .lr = 0.125, .eval_auroc = {{{}, {}}, std::nullopt}}};
  const std::string text = summary_csv(rows, classes);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "epoch,train_loss,eval_loss,eval_auroc,auroc Mass,\"auroc Edema, \"\"mild\"\"\",lr");
  EXPECT_NE(text.find("\n0,0.5,0.25,0.5,0.5,,0.125\n"), std::string::npos) << text;
  EXPECT_EQ(parse_summary_csv(text, "summary.csv", classes), rows);
  EXPECT_EQ(best_row(rows)->epoch, 1);
  EXPECT_THROW(parse_summary_csv(text, "summary.csv"), Error);
  EXPECT_THROW(parse_summary_csv(text + "3,1,,1,1,1,1\n", "summary.csv", classes), Error) << "a loss must be there";
}

TEST(EpochRow, RefusesWhatIsNoSummary) {
  const std::string good = summary_csv({EpochRow{}});
  for (const std::string& bad : {std::string(), std::string("epoch,loss\n"), good.substr(0, good.size() - 1),
                                 good + "1,2,3\n", good + "1,2,3,4,5,x\n"}) {
    try {
      parse_summary_csv(bad, "a/summary.csv");
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_EQ(std::string(error.what()).find("a/summary.csv: "), 0u);
    }
  }
}

TEST(EpochRow, TheBestIsTheFirstOfEqualOnes) {
  std::vector<EpochRow> rows{
      {.epoch = 0, .eval_top1 = 0.5}, {.epoch = 1, .eval_top1 = 0.7}, {.epoch = 2, .eval_top1 = 0.7}};
  EXPECT_EQ(best_row(rows)->epoch, 1);
  rows.clear();
  EXPECT_EQ(best_row(rows), nullptr);
}

}  // namespace
}  // namespace graft::testing
