#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/nn/state.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/run_files.h"

// Studies that cut at blocks, and trainings of so many steps.
namespace graft::testing {
namespace {

constexpr SyntheticData kTinyColour{.size = 16, .channels = 3, .train_per_class = 12, .test_per_class = 4};
constexpr const char* kTraining = "epochs: 1, batch_size: 12, lr: 0.02";

/// Of all tensors that a run has left, without the file's metadata, which names the run.
std::string tensors_of(StudyBench& bench, const RunSpec& run) {
  const auto state = state_of(*bench.network());
  load_state(checkpoint_path(bench.environment().folder, run.id), state);
  return hash_state(state);
}

std::string message_of(const SyntheticStudy& study) {
  try {
    synthetic_study(study);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "";
}

/// Of cifar_resnet20 cut 2 of the stages, after layer1, is cut 4 of the blocks, after layer1.2.
TEST(BlockCuts, AtTheEndOfAStageGiveTheStagesBits) {
  StudyBench stages({.model = "cifar_resnet20", .cuts = "[2]", .training = kTraining}, kTinyColour);
  StudyBench blocks({.model = "cifar_resnet20", .cuts = "[4]", .more = "cuts_at: blocks\n", .training = kTraining},
                    kTinyColour);
  EXPECT_EQ(stages.find("base", 0).id, blocks.find("base", 0).id);
  for (const char* treatment : {"BnB", "AnB", "AnB+", "random"}) {
    const RunSpec& by_stage = stages.find(treatment, 2);
    const RunSpec& by_block = blocks.find(treatment, 4);
    EXPECT_NE(by_stage.id, by_block.id);
    const RunResult a = stages.execute(by_stage);
    const RunResult b = blocks.execute(by_block);
    EXPECT_EQ(a.correct, b.correct) << treatment;
    EXPECT_EQ(a.train_loss, b.train_loss) << treatment;
    EXPECT_EQ(a.frozen_hash_after, b.frozen_hash_after) << treatment;
    EXPECT_EQ(tensors_of(stages, by_stage), tensors_of(blocks, by_block)) << treatment;
  }
}

TEST(BlockCuts, WithinAStageGiveTheSameBitsWithTheFeatureCacheAndWithout) {
  const SyntheticStudy study{
      .model = "cifar_resnet20", .cuts = "[layer2.0]", .more = "cuts_at: blocks\n", .training = kTraining};
  StudyBench cached(study, kTinyColour, true);
  StudyBench plain(study, kTinyColour, false);
  EXPECT_EQ(cached.execute("AnB", 5).train_loss, plain.execute("AnB", 5).train_loss);
  EXPECT_NE(cached.log(cached.find("AnB", 5)).find("cached features"), std::string::npos);
  EXPECT_EQ(cached.weights(cached.find("AnB", 5)), plain.weights(plain.find("AnB", 5)));
}

TEST(BlockCuts, FreezeWhatTheirPolicySays) {
  for (const std::string policy : {"batch", "update"}) {
    StudyBench bench({.model = "cifar_resnet20",
                      .cuts = "[3]",
                      .more = "cuts_at: blocks\nbatch_norm_policy: " + policy + "\n",
                      .training = kTraining},
                     kTinyColour);
    const RunResult result = bench.execute("AnB", 3);
    EXPECT_EQ(result.frozen_hash_before, result.frozen_hash_after);
    const auto network = bench.network();
    const auto hash = [&](const RunSpec& run, std::vector<NamedVariable> state) {
      load_state(checkpoint_path(bench.environment().folder, run.id), state);
      return hash_state(state);
    };
    const RunSpec& run = bench.find("AnB", 3);
    const RunSpec& base = bench.find("base", 0, "A");
    EXPECT_EQ(hash(run, network->stage_parameters(0, 3)), hash(base, network->stage_parameters(0, 3)));
    EXPECT_NE(hash(run, network->stage_parameters(3, 4)), hash(base, network->stage_parameters(3, 4)));
    const bool same = hash(run, network->stage_buffers(0, 3)) == hash(base, network->stage_buffers(0, 3));
    EXPECT_EQ(same, policy == "batch");
  }
}

TEST(BlockCuts, MayBeNamed) {
  EXPECT_EQ(synthetic_study({.cuts = "[conv2, 5, fc6]"}).cuts, (std::vector<int>{2, 5, 6}));
  EXPECT_EQ(synthetic_study({.cuts = "all"}).cuts, (std::vector<int>{1, 2, 3, 4, 5, 6}));
  const Study study =
      synthetic_study({.model = "resnet18_cifar", .cuts = "[stem, layer3.1]", .more = "cuts_at: blocks\n"});
  EXPECT_EQ(study.cuts, (std::vector<int>{1, 7}));
  EXPECT_NE(message_of({.cuts = "[conv2, 2]"}).find("a second time"), std::string::npos);
  EXPECT_NE(message_of({.cuts = "[conv7]"}).find("conv"), std::string::npos);
  EXPECT_NE(message_of({.model = "resnet18_cifar", .cuts = "[layer3.1]"}).find("cuts_at: blocks"), std::string::npos);
  EXPECT_NE(message_of({.more = "cuts_at: layers\n"}).find("blocks"), std::string::npos);
}

/// 72 images of a half in batches of 16: 4 steps an epoch.
TEST(Iterations, AreStepsWhateverTheEpochs) {
  const std::string common = ", batch_size: 16, lr: 0.02, schedule: step, ";
  StudyBench epochs({.training = "epochs: 3" + common + "milestones: [1, 2]"}, {});
  StudyBench steps({.training = "iterations: 12" + common + "milestones: [4, 8]"}, {});
  const RunResult a = epochs.execute("base", 0);
  const RunResult b = steps.execute("base", 0);
  EXPECT_NE(a.id, b.id);
  EXPECT_EQ(a.train_loss, b.train_loss);
  EXPECT_EQ(a.epoch, b.epoch);
  EXPECT_EQ(tensors_of(epochs, epochs.find("base", 0)), tensors_of(steps, steps.find("base", 0)));
}

TEST(Iterations, EndWithinAnEpochWhoseLossCountsWithTheOneBefore) {
  const std::string common = ", batch_size: 16, lr: 0.02, schedule: constant";
  StudyBench bench({.training = "iterations: 9" + common}, {});
  const RunResult result = bench.execute("base", 0);
  EXPECT_EQ(result.epoch, 3);
  const std::string log = bench.log(bench.find("base", 0));
  EXPECT_NE(log.find("epoch 1/3"), std::string::npos);
  EXPECT_EQ(log.find("epoch 2/3"), std::string::npos);
  EXPECT_NE(log.find("epoch 3/3"), std::string::npos);
  EXPECT_NE(message_of({.training = "iterations: 9, epochs: 2"}).find("training.iterations"), std::string::npos);
}

}  // namespace
}  // namespace graft::testing
