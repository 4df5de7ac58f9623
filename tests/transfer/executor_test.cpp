#include "transfer/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/nn/state.h"
#include "tests/ops/host_values.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/half_data.h"
#include "transfer/run_files.h"
#include "transfer/run_network.h"

namespace graft::testing {
namespace {

constexpr SyntheticData kTinyColour{.size = 16, .channels = 3, .train_per_class = 12, .test_per_class = 4};
constexpr const char* kResnet = "cifar_resnet20";
constexpr const char* kResnetTraining = "epochs: 1, batch_size: 12, lr: 0.02";

/// Bytes of every tensor of the first `cut` stages as a run left them.
std::map<std::string, std::string> stage_hashes(StudyBench& bench, const RunSpec& run, int cut, bool buffers) {
  const auto network = bench.network();
  const auto wanted = buffers ? network->stage_buffers(0, cut) : network->stage_parameters(0, cut);
  load_state(checkpoint_path(bench.environment().folder, run.id), wanted);
  std::map<std::string, std::string> hashes;
  for (const NamedVariable& variable : wanted) hashes[variable.name] = hash_state({variable});
  return hashes;
}

class FrozenStages : public ::testing::TestWithParam<const char*> {};

TEST_P(FrozenStages, KeepWhatThePolicyPromises) {
  const std::string policy = GetParam();
  StudyBench bench(
      {.model = kResnet, .cuts = "[2]", .more = "batch_norm_policy: " + policy + "\n", .training = kResnetTraining},
      kTinyColour);
  const RunSpec& run = bench.find("AnB", 2);
  const RunResult result = bench.execute(run);
  ASSERT_EQ(result.status, "ok");
  EXPECT_EQ(result.frozen_hash_before, result.frozen_hash_after);
  EXPECT_EQ(result.frozen_hash_before.size(), 64u);

  const RunSpec& base = bench.find("base", 0, "A");
  ASSERT_EQ(run.depends_on, base.id);
  EXPECT_EQ(stage_hashes(bench, run, 2, false), stage_hashes(bench, base, 2, false));
  const auto before = stage_hashes(bench, base, 2, true);
  const auto after = stage_hashes(bench, run, 2, true);
  if (policy == "update") {
    // Running statistics follow the target's images: every mean and variance of the frozen stages moves.
    for (const auto& [name, hash] : before) {
      if (name.find("running_") == std::string::npos) continue;
      EXPECT_NE(after.at(name), hash) << name;
    }
  } else {
    EXPECT_EQ(after, before);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, FrozenStages, ::testing::Values("eval", "batch", "update"));

/// Against the answers to one image at a time, their largest logit found here.
TEST(Executor, CountsAnswersByClassAndSubgroup) {
  StudyBench bench({}, {});
  Subgroups& thirds = bench.environment().subgroups;
  thirds.names = {"first", "second", "third"};
  for (std::int64_t i = 0; i < bench.environment().data.target.test->size(); ++i) thirds.of_image.push_back(i % 3);
  const RunSpec& run = bench.find("AnB", 1);
  const RunResult result = bench.execute(run);
  const auto network = bench.network();
  load_state(checkpoint_path(bench.environment().folder, run.id), state_of(*network));
  const HalfData half = open_half(bench.environment().study, bench.environment().data, run);
  const DatasetPair& whole = bench.environment().data.target;
  Loader loader(half.test, bench.backend(), {.batch_size = 1, .mean = whole.mean, .deviation = whole.deviation});
  std::vector<std::array<std::int64_t, 2>> expected(3);
  std::vector<std::array<std::int64_t, 2>> by_third(3);
  loader.start_epoch(0);
  for (std::int64_t i = 0; const auto batch = loader.next(); ++i) {
    const std::vector<double> logits = to_host(network->forward(Variable(batch->items), {}).value());
    const bool right = std::max_element(logits.begin(), logits.end()) - logits.begin() == half.test->label(i);
    for (auto* count : {&expected[static_cast<std::size_t>(half.test->label(i))],
                        &by_third[static_cast<std::size_t>(half.test_items[static_cast<std::size_t>(i)] % 3)]}) {
      (*count)[0] += right ? 1 : 0;
      ++(*count)[1];
    }
  }
  EXPECT_EQ(result.by_class, expected);
  EXPECT_EQ(result.by_subgroup, by_third);
  EXPECT_EQ(expected[0][0] + expected[1][0] + expected[2][0], result.correct);
  const RunResult again = test_again(run, bench.environment(), bench.backend());
  EXPECT_EQ(again.by_class, expected);
  EXPECT_EQ(again.by_subgroup, by_third);
}

TEST(Executor, FineTuningChangesTheCopiedStages) {
  StudyBench bench({}, {});
  const RunSpec& run = bench.find("AnB+", 3);
  const RunResult result = bench.execute(run);
  EXPECT_EQ(result.frozen_hash_before, "");
  EXPECT_NE(stage_hashes(bench, run, 3, false), stage_hashes(bench, bench.find("base", 0, "A"), 3, false));
}

/// The first values of a run's network, by name, before any training.
std::map<std::string, std::string> initial(StudyBench& bench, const RunSpec& run) {
  const auto network = bench.network();
  initialize_run(*network, run, bench.environment().folder);
  std::map<std::string, std::string> hashes;
  for (const NamedVariable& parameter : network->parameters()) {
    if (parameter.variable.shape().rank() >= 2) hashes[parameter.name] = hash_state({parameter});
  }
  return hashes;
}

TEST(Executor, NoTwoRolesShareInitialWeights) {
  StudyBench bench({.cuts = "[6]"}, {});
  bench.execute(bench.find("base", 0, "A"));
  bench.execute(bench.find("base", 0, "B"));
  // random at the last cut shows the role of its six stages; a fresh network of role "retrained" is AnB+'s remainder,
  // made here for all stages at once.
  const auto retrained_of = [&] {
    RunSpec run = bench.find("AnB+", 6);
    run.cut = 0;
    return initial(bench, run);
  };
  const std::vector<std::map<std::string, std::string>> roles{initial(bench, bench.find("base", 0, "A")),
                                                              initial(bench, bench.find("base", 0, "B")),
                                                              retrained_of(), initial(bench, bench.find("random", 6))};
  for (const auto& [name, hash] : roles.front()) {
    if (name.starts_with("fc.") || name.starts_with("head")) continue;  // random retrains the head
    std::set<std::string> distinct;
    for (const auto& role : roles) distinct.insert(role.at(name));
    EXPECT_EQ(distinct.size(), roles.size()) << name;
  }
}

TEST(Executor, TreatmentsOfASeedStartTheirNewLayersAlike) {
  StudyBench bench({.cuts = "[3]"}, {});
  bench.execute(bench.find("base", 0, "A"));
  bench.execute(bench.find("base", 0, "B"));
  const auto first = initial(bench, bench.find("BnB", 3));
  const auto network = bench.network();
  std::set<std::string> carried;
  for (const NamedVariable& parameter : network->stage_parameters(0, 3)) carried.insert(parameter.name);
  for (const char* treatment : {"BnB+", "AnB", "AnB+", "random"}) {
    for (const auto& [name, hash] : initial(bench, bench.find(treatment, 3))) {
      if (carried.contains(name)) continue;
      EXPECT_EQ(hash, first.at(name)) << treatment << " " << name;
    }
  }
}

TEST(Executor, ReportsTheLastEpochAndCountsWholeBatches) {
  StudyBench bench({.training = "epochs: 3, batch_size: 16, lr: 0.02"}, {.train_per_class = 22, .test_per_class = 7});
  std::atomic<std::int64_t> steps = 0;
  const RunResult result = execute_run(bench.find("base", 0), bench.environment(), bench.backend(), steps);
  EXPECT_EQ(steps, 3 * (3 * 22 / 16));
  EXPECT_EQ(result.epoch, 3);
  EXPECT_EQ(result.n_test, 21);
  EXPECT_EQ(result.classes, 3);
  EXPECT_DOUBLE_EQ(result.top1, static_cast<double>(result.correct) / 21.0);
  EXPECT_GT(result.correct, 7);  // stripes of three widths: better than guessing after twelve steps
}

TEST(Executor, StopsAtTheNextStepWhenAsked) {
  StudyBench bench({}, {});
  const std::atomic<bool> stop = true;
  bench.environment().stop = &stop;
  std::atomic<std::int64_t> steps = 0;
  try {
    execute_run(bench.find("base", 0), bench.environment(), bench.backend(), steps);
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
    EXPECT_EQ(steps, 0);
  }
}

TEST(Executor, ALossThatIsNoNumberFailsTheRun) {
  StudyBench bench({.training = "epochs: 2, batch_size: 16, lr: 1e30"}, {});
  try {
    bench.execute(bench.find("base", 0));
    FAIL() << "it went on";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("lower training.lr"), std::string::npos) << error.what();
  }
}

TEST(Executor, TooFewImagesForABatchAreTheDatasFault) {
  const DatasetPair data = synthetic_data({.train_per_class = 2});
  TrainingSettings settings;
  settings.batch_size = 64;
  try {
    steps_per_epoch(*data.train, settings);
    FAIL() << "12 images gave a batch of 64";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_STREQ(error.what(), "training.batch_size 64 is more than the 12 training images of a half: lower it");
  }
}

}  // namespace
}  // namespace graft::testing
