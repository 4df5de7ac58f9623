#include "transfer/fine_tuning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/safetensors.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/group_optimizer.h"
#include "transfer/half_data.h"
#include "transfer/trainer.h"

namespace graft::testing {
namespace {

TEST(FineTuning, WhatIsFrozenInWhichEpoch) {
  const FineTuningSettings settings{.lp_ft_epochs = 2, .gradual_epochs = 3};
  const auto frozen = [&](FineTuning policy) {
    std::vector<int> counts;
    for (std::int64_t epoch = 0; epoch < 8; ++epoch) counts.push_back(frozen_in_epoch(policy, settings, 2, epoch));
    return counts;
  };
  EXPECT_EQ(frozen(FineTuning::plain), (std::vector<int>{0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(frozen(FineTuning::lp_ft), (std::vector<int>{2, 2, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(frozen(FineTuning::gradual), (std::vector<int>{2, 2, 2, 1, 1, 1, 0, 0}));
  EXPECT_EQ(first_free_epoch(FineTuning::gradual, settings, 2), 6);
  EXPECT_EQ(first_free_epoch(FineTuning::lp_ft, settings, 2), 2);
  EXPECT_EQ(first_free_epoch(FineTuning::llrd, settings, 2), 0);
}

TEST(FineTuning, GroupsHoldEachParameterOnce) {
  StudyBench bench({}, {});
  const auto network = bench.network();
  std::multiset<std::string> all;
  for (const NamedVariable& named : network->parameters()) all.insert(named.name);
  for (const FineTuning policy : fine_tuning_policies()) {
    std::multiset<std::string> grouped;
    for (const ParameterGroup& group : parameter_groups(policy, {}, *network, 3)) {
      for (const NamedVariable& named : group.parameters) grouped.insert(named.name);
    }
    EXPECT_EQ(grouped, all) << name_of(policy);
  }
  const auto groups = parameter_groups(FineTuning::llrd, {.llrd_decay = 0.5}, *network, 3);
  ASSERT_EQ(groups.size(), 4u);
  EXPECT_EQ(groups[0].lr_factor, 0.125);
  EXPECT_EQ(groups[2].lr_factor, 0.5);
  EXPECT_EQ(groups[3].lr_factor, 1.0);
}

/// Gradients by a formula, so that a plain loop can follow.
double gradient_of(int step, std::size_t i) { return std::cos(0.7 * step + 0.3 * static_cast<double>(i)); }

struct Pair {
  std::vector<float> near;  ///< drawn to its start, or at half the rate
  std::vector<float> other;
};

/// Five steps of SGD with momentum 0.9 and weight decay 0.02 over two groups that start alike.
Pair run_groups(Backend& backend, const ParameterGroup& near) {
  const std::vector<float> start{0.5f, -1.0f, 2.0f};
  std::vector<Variable> variables;
  for (int i = 0; i < 2; ++i) {
    const Tensor value = backend.empty({3}, DType::f32);
    backend.copy_from_host(start.data(), value);
    variables.emplace_back(value, true);
  }
  ParameterGroup first = near;
  first.parameters = {{"a", variables[0]}};
  GroupOptimizer optimizer({.momentum = 0.9, .weight_decay = 0.02}, {first, {.parameters = {{"b", variables[1]}}}});
  for (int step = 0; step < 5; ++step) {
    for (Variable& variable : variables) {
      std::vector<float> gradient;
      for (std::size_t i = 0; i < 3; ++i) gradient.push_back(static_cast<float>(gradient_of(step, i)));
      const Tensor tensor = backend.empty({3}, DType::f32);
      backend.copy_from_host(gradient.data(), tensor);
      variable.accumulate_grad(tensor);
    }
    optimizer.write_lr(0.1);
    optimizer.update(0.0);
  }
  Pair result{std::vector<float>(3), std::vector<float>(3)};
  backend.copy_to_host(variables[0].value(), result.near.data());
  backend.copy_to_host(variables[1].value(), result.other.data());
  return result;
}

/// The same in double precision, from the definitions: g + decay (w - centre), heavy-ball momentum.
std::vector<double> expected(double lr, double decay, bool to_start) {
  const std::vector<double> start{0.5, -1.0, 2.0};
  std::vector<double> w = start;
  std::vector<double> v(3, 0.0);
  for (int step = 0; step < 5; ++step) {
    for (std::size_t i = 0; i < 3; ++i) {
      const double g = gradient_of(step, i) + decay * (w[i] - (to_start ? start[i] : 0.0));
      v[i] = step == 0 ? g : 0.9 * v[i] + g;
      w[i] -= lr * v[i];
    }
  }
  return w;
}

TEST(GroupOptimizer, DrawsToTheStartOrSlowsDown) {
  const auto backend = make_cpu_backend({.threads = 1});
  const Pair drawn = run_groups(*backend, {.parameters = {}, .decay_to_start = 0.3});
  const Pair slow = run_groups(*backend, {.parameters = {}, .lr_factor = 0.5});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(drawn.near[i], expected(0.1, 0.3, true)[i], 2e-6) << i;
    EXPECT_GT(std::abs(drawn.near[i] - expected(0.1, 0.3, false)[i]), 1e-3) << "decay to zero would show";
    EXPECT_NEAR(slow.near[i], expected(0.05, 0.02, false)[i], 2e-6) << i;
    EXPECT_NEAR(drawn.other[i], expected(0.1, 0.02, false)[i], 2e-6) << i;
    EXPECT_EQ(drawn.other[i], slow.other[i]);
  }
}

TEST(GroupOptimizer, RefusesWhatItCannotDo) {
  StudyBench bench({}, {});
  const auto network = bench.network();
  initialize(network->parameters(), 0, "test");
  const auto groups = parameter_groups(FineTuning::l2_sp, {}, *network, 2);
  EXPECT_THROW(GroupOptimizer({.optimizer = "adamw"}, groups), Error);
  EXPECT_THROW(GroupOptimizer({.clip_norm = 1.0}, groups), Error);
}

class Policies : public ::testing::Test {
 protected:
  Policies() : bench_({.cuts = "[3]", .training = "epochs: 5, batch_size: 16, lr: 0.02"}, {}) {
    network_ = bench_.network();
    initialize(state_of(*network_), 0, "test");
    half_ = open_half(bench_.environment().study, bench_.environment().data, bench_.find("base", 0));
  }

  /// Trains for `epochs` of five and says which stages changed in each epoch, as "0001111": one digit a stage.
  std::vector<std::string> train(FineTuning policy, const FineTuningSettings& settings, int epochs) {
    const DatasetPair& data = bench_.environment().data.target;
    Loader loader(half_.train, bench_.backend(),
                  {.batch_size = 16, .drop_last = true, .mean = data.mean, .deviation = data.deviation});
    Trainer trainer(*network_, bench_.backend(),
                    {.settings = bench_.environment().study.training,
                     .steps_per_epoch = loader.batch_count(),
                     .fine_tuning = policy,
                     .fine_tuning_settings = settings,
                     .carried_stages = 3});
    std::vector<std::string> changed;
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const std::vector<std::string> before = hashes();
      trainer.begin_epoch(epoch);
      loader.start_epoch(epoch);
      while (const auto batch = loader.next()) trainer.step(*batch, 0);
      const std::vector<std::string> after = hashes();
      std::string digits;
      for (std::size_t i = 0; i < before.size(); ++i) digits += before[i] == after[i] ? '0' : '1';
      changed.push_back(digits);
    }
    return changed;
  }

  std::vector<std::string> hashes() const {
    std::vector<std::string> all;
    for (int stage = 0; stage < network_->stage_count(); ++stage) {
      all.push_back(hash_state(network_->stage_parameters(stage, stage + 1)));
    }
    return all;
  }

  StudyBench bench_;
  std::shared_ptr<Backbone> network_;
  HalfData half_;
};

TEST_F(Policies, LpFtThawsEverythingAtOnce) {
  EXPECT_EQ(train(FineTuning::lp_ft, {.lp_ft_epochs = 2}, 3), (std::vector<std::string>{"000111", "000111", "111111"}));
}

TEST_F(Policies, GradualThawsTheLastStageFirst) {
  EXPECT_EQ(train(FineTuning::gradual, {.gradual_epochs = 1}, 4),
            (std::vector<std::string>{"000111", "001111", "011111", "111111"}));
}

TEST_F(Policies, LlrdAtFullRateIsPlain) {
  train(FineTuning::plain, {}, 2);
  const std::string plain = hash_state(state_of(*network_));
  initialize(state_of(*network_), 0, "test");
  train(FineTuning::llrd, {.llrd_decay = 1.0}, 2);
  EXPECT_EQ(hash_state(state_of(*network_)), plain);
  initialize(state_of(*network_), 0, "test");
  train(FineTuning::llrd, {.llrd_decay = 0.5}, 2);
  EXPECT_NE(hash_state(state_of(*network_)), plain);
}

/// A study crosses policies with cuts; labels, ids and records tell them apart.
TEST(Methods, AStudyOfPolicies) {
  StudyBench bench({.cuts = "[1, 3]",
                    .more = "fine_tuning: {policies: [plain, lp-ft, l2-sp], lp_ft_epochs: 1}\n"
                            "batch_norm_policy: [eval, batch]\n",
                    .training = "epochs: 2, batch_size: 16, lr: 0.02"},
                   {});
  std::map<std::string, int> labels;
  std::set<std::string> ids;
  for (const RunSpec& run : bench.plan().runs) {
    ++labels[label_of(method_of(run))];
    ids.insert(run.id);
  }
  EXPECT_EQ(labels, (std::map<std::string, int>{{"base", 2},
                                                {"BnB", 2},
                                                {"BnB bn-batch", 2},
                                                {"AnB", 2},
                                                {"AnB bn-batch", 2},
                                                {"random", 2},
                                                {"random bn-batch", 2},
                                                {"BnB+", 2},
                                                {"BnB+ lp-ft", 2},
                                                {"BnB+ l2-sp", 2},
                                                {"AnB+", 2},
                                                {"AnB+ lp-ft", 2},
                                                {"AnB+ l2-sp", 2}}));
  EXPECT_EQ(ids.size(), bench.plan().runs.size());
  std::set<std::string> weights;
  int runs = 0;
  for (const RunSpec& run : bench.plan().runs) {
    if (run.treatment != Treatment::anb_plus || run.cut != 3) continue;
    const RunResult result = bench.execute(run);
    EXPECT_EQ(label_of(result), label_of(method_of(run)));
    EXPECT_EQ(label_of(result_from_json(to_json_line(result), "here")), label_of(result));
    weights.insert(bench.weights(run));
    ++runs;
  }
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(weights.size(), 3u) << "each policy leads elsewhere";
}

TEST(Methods, ScratchIsBaseWithMoreEpochs) {
  const Study study = parse_study(
      "name: s\ndataset: fashion-mnist\nmodel: convnet6\nsplit: {source: [a, b], target: [c, d]}\n"
      "treatments: [base, scratch, AnB]\ncuts: [1]\nseeds: [0]\nscratch: {epochs: 7}\ntraining: {epochs: 2}\n",
      "s.yaml");
  EXPECT_EQ(training_of(study, {.treatment = Treatment::scratch}).epochs, 7);
  EXPECT_EQ(training_of(study, {.treatment = Treatment::base}).epochs, 2);
  EXPECT_EQ(init_role({.treatment = Treatment::scratch, .target = "B"}),
            init_role({.treatment = Treatment::base, .target = "B"}));
}

}  // namespace
}  // namespace graft::testing
