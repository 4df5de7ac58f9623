#include "transfer/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/base/error.h"
#include "engine/nn/init.h"
#include "engine/reference/reference_backend.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/answers.h"
#include "transfer/half_data.h"

namespace graft::testing {
namespace {

class WithoutBf16 : public ReferenceBackend {
 public:
  bool supports(DType dtype) const override { return dtype == DType::f32; }
};

TEST(Trainer, RefusesBf16WhereThereIsNone) {
  TrainingSettings settings;
  settings.amp = "bf16";
  const WithoutBf16 backend;
  try {
    check_amp(settings, backend);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(std::string(error.what()).find("--amp bf16 needs bf16 arithmetic, which reference does not have"), 0u);
  }
  settings.amp = "none";
  EXPECT_NO_THROW(check_amp(settings, backend));
}

TEST(Trainer, ScheduleCountsMilestonesInSteps) {
  TrainingSettings settings;
  settings.epochs = 6;
  settings.schedule = "step";
  settings.lr = 1.0;
  settings.gamma = 0.5;
  settings.milestones = {2, 4};
  const Schedule schedule = make_schedule(settings, 10);
  EXPECT_EQ(schedule.total_steps, 60);
  EXPECT_DOUBLE_EQ(schedule.at(19), 1.0);
  EXPECT_DOUBLE_EQ(schedule.at(20), 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(40), 0.25);
}

TEST(Trainer, TheDemosScheduleIsTheIssues) {
  TrainingSettings settings;
  settings.epochs = 10;
  settings.lr = 0.05;
  settings.warmup_steps = 50;
  const Schedule schedule = make_schedule(settings, 46);
  for (const std::int64_t t : {0, 7, 49, 50, 200, 459}) {
    const double expected =
        0.05 * std::min(1.0, static_cast<double>(t + 1) / 50.0) * (1.0 - static_cast<double>(t) / 460.0);
    EXPECT_NEAR(schedule.at(t), expected, 1e-15) << t;
  }
}

class TrainerSteps : public ::testing::Test {
 protected:
  TrainerSteps() : bench_({}, {}) {
    network_ = bench_.network();
    initialize(network_->parameters(), 0, "test");
    half_ = open_half(bench_.environment().study, bench_.environment().data, bench_.find("base", 0));
    settings_.epochs = 8;
    settings_.batch_size = 16;
    settings_.lr = 0.005;
    settings_.schedule = "constant";
  }

  LoaderOptions loader_options(bool training, std::int64_t batch_size) {
    return {.batch_size = batch_size,
            .shuffle = training,
            .drop_last = training,
            .pad_last = !training,
            .role = "target",
            .mean = bench_.environment().data.target.mean,
            .deviation = bench_.environment().data.target.deviation};
  }

  /// The mean loss of each epoch.
  std::vector<double> train() {
    Loader loader(half_.train, bench_.backend(), loader_options(true, settings_.batch_size));
    Trainer trainer(*network_, bench_.backend(), {.settings = settings_, .steps_per_epoch = loader.batch_count()});
    std::vector<double> losses;
    for (std::int64_t epoch = 0; epoch < settings_.epochs; ++epoch) {
      loader.start_epoch(epoch);
      while (const auto batch = loader.next()) trainer.step(*batch, 0);
      losses.push_back(trainer.take_mean_loss());
    }
    EXPECT_EQ(trainer.steps(), settings_.epochs * loader.batch_count());
    EXPECT_EQ(trainer.take_mean_loss(), 0.0) << "no step since the last reading";
    return losses;
  }

  std::int64_t right_answers(std::int64_t batch_size) {
    Loader loader(half_.test, bench_.backend(), loader_options(false, batch_size));
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < half_.test->size(); ++i) labels.push_back(half_.test->label(i));
    const std::vector<bool> right = graft::right_answers(*network_, bench_.backend(), loader, labels);
    return std::count(right.begin(), right.end(), true);
  }

  StudyBench bench_;
  std::shared_ptr<Backbone> network_;
  HalfData half_;
  TrainingSettings settings_;
};

TEST_F(TrainerSteps, LossFalls) {
  const std::vector<double> losses = train();
  EXPECT_GT(losses.front(), 0.1);
  EXPECT_LT(losses.back(), 0.5 * losses.front());
}

TEST_F(TrainerSteps, EvaluationCountsEveryImageOnceAndNoPadding) {
  train();
  // 18 test images: in two batches, the second padded with 14; in one, padded with 6; one by one.
  const std::int64_t together = right_answers(16);
  EXPECT_GT(together, 9);
  EXPECT_LE(together, 18);
  EXPECT_EQ(right_answers(24), together);
  EXPECT_EQ(right_answers(1), together);
}

}  // namespace
}  // namespace graft::testing
