#include "transfer/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "engine/base/error.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/plan_cost.h"

namespace graft {
namespace {

using testing::fake_fashion_mnist;
using testing::plan_of;
using testing::shipped_study;

Study demo() { return read_study(shipped_study("fashion-mnist-clothing")); }

std::set<std::string> ids_of(const Plan& plan) {
  std::set<std::string> ids;
  for (const RunSpec& run : plan.runs) ids.insert(run.id);
  return ids;
}

std::string error_of(const Study& study, const DatasetPair& data, int stages = 6) {
  try {
    make_plan(study, data, stages, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    return error.what();
  }
  return "no error";
}

TEST(Plan, DemoHas96Runs) {
  const Plan plan = plan_of(demo());
  std::map<std::string, int> counts;
  for (const RunSpec& run : plan.runs) ++counts[name_of(run.treatment)];
  EXPECT_EQ(plan.runs.size(), 3u * (2 + 5 * 6));
  EXPECT_EQ(counts["base"], 6);  // of both halves
  for (const char* treatment : {"BnB", "BnB+", "AnB", "AnB+", "random"}) EXPECT_EQ(counts[treatment], 18) << treatment;
  EXPECT_EQ(ids_of(plan).size(), plan.runs.size());
  for (const std::string& id : ids_of(plan)) {
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
  }
}

TEST(Plan, LayersComeFromAnEarlierBaseOfTheSourceHalfAndSeed) {
  for (const char* name : {"fashion-mnist-clothing", "fashion-mnist-random"}) {
    std::map<std::string, RunSpec> earlier;
    for (const RunSpec& run : plan_of(read_study(shipped_study(name))).runs) {
      EXPECT_EQ(run.depends_on.empty(), !copies_layers(run.treatment));
      if (copies_layers(run.treatment)) {
        ASSERT_TRUE(earlier.contains(run.depends_on));
        const RunSpec& base = earlier.at(run.depends_on);
        EXPECT_EQ(base.treatment, Treatment::base);
        EXPECT_EQ(base.target, run.source);
        EXPECT_EQ(base.seed, run.seed);
        EXPECT_EQ(base.split.name, run.split.name);
      }
      const bool from_other = run.treatment == Treatment::anb || run.treatment == Treatment::anb_plus;
      EXPECT_EQ(run.source != run.target, from_other);
      earlier.emplace(run.id, run);
    }
  }
}

TEST(Plan, BasesComeFirstAndOnce) {
  const Plan plan = plan_of(demo());
  const auto first_arm = std::find_if(plan.runs.begin(), plan.runs.end(),
                                      [](const RunSpec& run) { return run.treatment != Treatment::base; });
  EXPECT_EQ(first_arm - plan.runs.begin(), 6);
  std::set<std::tuple<std::string, std::string, std::uint64_t>> seen;
  for (auto run = plan.runs.begin(); run != first_arm; ++run) {
    EXPECT_TRUE(seen.insert({run->split.name, run->target, run->seed}).second);
  }
}

TEST(Plan, OnlyTheBasesThatAreNeeded) {
  Study study = demo();
  study.seeds = {7};
  study.cuts = {2};
  const auto bases = [&](std::vector<Treatment> treatments) {
    study.treatments = std::move(treatments);
    std::string halves;
    for (const RunSpec& run : plan_of(study).runs) {
      if (run.treatment == Treatment::base) halves += run.target;
    }
    return halves;
  };
  EXPECT_EQ(bases({Treatment::base}), "B");
  EXPECT_EQ(bases({Treatment::anb}), "A");  // even if only AnB needs it
  EXPECT_EQ(bases({Treatment::bnb_plus}), "B");
  EXPECT_EQ(bases({Treatment::random}), "");
  EXPECT_EQ(bases({Treatment::base, Treatment::anb_plus}), "BA");
}

TEST(Plan, BothDirectionsSwapTheHalves) {
  Study study = demo();
  study.both_directions = true;
  const Plan plan = plan_of(study);
  EXPECT_EQ(plan.runs.size(), 3u * 2 * (1 + 5 * 6));
  for (const RunSpec& run : plan.runs) {
    EXPECT_EQ(target_classes(run), run.target == "A" ? run.split.source : run.split.target);
  }
  const auto one_way = ids_of(plan_of(demo()));
  const auto both = ids_of(plan);
  EXPECT_TRUE(std::includes(both.begin(), both.end(), one_way.begin(), one_way.end()));
}

TEST(Plan, RandomHalves) {
  const Plan plan = plan_of(read_study(shipped_study("fashion-mnist-random")));
  EXPECT_EQ(plan.runs.size(), 4u * 3 * 2 * (1 + 5 * 6));
  ASSERT_EQ(plan.splits.size(), 4u);
  std::set<std::vector<std::int64_t>> sources;
  for (const Split& split : plan.splits) {
    std::set<std::int64_t> all(split.source.begin(), split.source.end());
    all.insert(split.target.begin(), split.target.end());
    EXPECT_EQ(split.source.size(), 5u);
    EXPECT_EQ(all.size(), 10u);
    EXPECT_EQ(*all.begin(), 0);
    EXPECT_EQ(*all.rbegin(), 9);
    sources.insert(split.source);
  }
  EXPECT_EQ(sources.size(), 4u);
  EXPECT_EQ(random_split(10, 0, 2).source, plan.splits[2].source);
  EXPECT_NE(random_split(10, 1, 2).source, plan.splits[2].source);
  EXPECT_EQ(random_split(7, 0, 0).source.size(), 3u);
}

TEST(Plan, IdsStayWhenAStudyGrows) {
  Study more = demo();
  more.seeds.push_back(3);
  more.feature_cache_mib = 0;
  more.name = "another-name";
  const auto ids = ids_of(plan_of(demo()));
  const auto grown = ids_of(plan_of(more));
  EXPECT_TRUE(std::includes(grown.begin(), grown.end(), ids.begin(), ids.end()));
  Study fewer = demo();
  fewer.cuts = {6, 1};
  fewer.treatments = {Treatment::anb, Treatment::base};
  const auto part = ids_of(plan_of(fewer));
  EXPECT_TRUE(std::includes(ids.begin(), ids.end(), part.begin(), part.end()));
}

TEST(Plan, AProbeCopiesFromTheOtherHalfAndLeavesOtherIds) {
  Study probed = demo();
  probed.treatments.push_back(Treatment::probe);
  const Plan plan = plan_of(probed);
  const auto ids = ids_of(plan_of(demo()));
  const auto grown = ids_of(plan);
  EXPECT_TRUE(std::includes(grown.begin(), grown.end(), ids.begin(), ids.end()));
  std::size_t probes = 0;
  for (const RunSpec& run : plan.runs) {
    if (run.treatment != Treatment::probe) continue;
    ++probes;
    EXPECT_EQ(run.source, "A");
    EXPECT_EQ(run.target, "B");
    const auto base = std::find_if(plan.runs.begin(), plan.runs.end(),
                                   [&](const RunSpec& other) { return other.id == run.depends_on; });
    ASSERT_NE(base, plan.runs.end());
    EXPECT_EQ(base->target, "A");
    EXPECT_EQ(base->seed, run.seed);
  }
  EXPECT_EQ(probes, probed.cuts.size() * probed.seeds.size());
}

TEST(Plan, IdsChangeWithWhateverChangesBits) {
  const auto ids = ids_of(plan_of(demo()));
  const std::vector<std::function<void(Study&, RunContext&)>> changes{
      [](Study&, RunContext& c) { c.device_kind = "avx512"; },
      [](Study&, RunContext& c) { c.threads = 2; },
      [](Study&, RunContext& c) { c.data_hash = "e"; },
      [](Study& s, RunContext&) { s.model = "cifar_resnet20"; },
      [](Study& s, RunContext&) { s.split_seed = 1; },
      [](Study& s, RunContext&) { s.train_per_class = 500; },
      [](Study& s, RunContext&) { s.test_per_class = 500; },
      [](Study& s, RunContext&) { std::swap(s.source_classes, s.target_classes); },
      [](Study& s, RunContext&) {
        std::swap(s.source_classes[0], s.source_classes[1]);
        std::swap(s.target_classes[0], s.target_classes[1]);
      },
      [](Study& s, RunContext&) { s.training.lr = 0.1; },
      [](Study& s, RunContext&) { s.training.momentum = 0.8; },
      [](Study& s, RunContext&) { s.training.nesterov = true; },
      [](Study& s, RunContext&) { s.training.epochs = 11; },
      [](Study& s, RunContext&) { s.training.amp = "bf16"; },
      [](Study& s, RunContext&) { s.training.flip = true; },
      [](Study& s, RunContext&) {
        s.seeds = {3, 4, 5};
      }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Study study = demo();
    RunContext context{.device_kind = "avx2", .threads = 1, .data_hash = "d"};
    changes[i](study, context);
    for (const std::string& id : ids_of(plan_of(study, context))) EXPECT_FALSE(ids.contains(id)) << "change " << i;
  }
}

TEST(Plan, TheSourceMayHaveMoreImages) {
  Study study = demo();
  study.source_train_per_class = 6000;
  study.train_per_class = 20;
  for (const RunSpec& run : plan_of(study).runs) {
    EXPECT_EQ(train_per_class(study, run.target), run.target == "A" ? 6000 : 20);
  }
  Study with_more = study;
  with_more.source_train_per_class = 5000;
  const auto ids = ids_of(plan_of(study));
  for (const RunSpec& run : plan_of(with_more).runs) {
    const bool depends = run.target == "A" || run.source == "A";
    EXPECT_EQ(ids.contains(run.id), !depends) << name_of(run.treatment);
  }
}

TEST(Plan, TheSourceMayBeTrainedLonger) {
  Study study = demo();
  const auto before = ids_of(plan_of(study));
  study.source_epochs = 3 * study.training.epochs;
  for (const RunSpec& run : plan_of(study).runs) {
    EXPECT_EQ(training_of(study, run).epochs, (run.target == "A" ? 3 : 1) * study.training.epochs);
    EXPECT_EQ(before.contains(run.id), run.target != "A" && run.source != "A") << name_of(run.treatment);
  }
}

TEST(Plan, PolicyMattersOnlyToFrozenRuns) {
  Study study = demo();
  study.bn_policies = {BatchNormPolicy::update};
  const auto ids = ids_of(plan_of(demo()));
  for (const RunSpec& run : plan_of(study).runs) {
    EXPECT_EQ(ids.contains(run.id), !freezes(run.treatment)) << name_of(run.treatment);
  }
}

TEST(Plan, NoTwoRolesShareAName) {
  const Plan plan = plan_of(demo());
  std::set<std::string> roles{kRandomFrozenRole};
  for (const RunSpec& run : plan.runs) roles.insert(init_role(run));
  EXPECT_EQ(roles, (std::set<std::string>{"base-source", "base-target", "random-frozen", "retrained"}));
}

TEST(Plan, ImageSeedIsOfTheSplit) {
  const Plan plan = plan_of(read_study(shipped_study("fashion-mnist-random")));
  std::set<std::uint64_t> seeds;
  for (const Split& split : plan.splits) seeds.insert(image_seed(plan.study, split));
  EXPECT_EQ(seeds.size(), 4u);
}

TEST(Plan, RefusesWhatTheDataOrModelLacks) {
  Study study = demo();
  study.cuts = {1, 7};
  EXPECT_EQ(error_of(study, fake_fashion_mnist()), "cuts names 7, convnet6 has 6 stages: cut at 1 to 6");
  study = demo();
  study.source_classes[0] = "Trousers";
  EXPECT_EQ(error_of(study, fake_fashion_mnist()),
            "split.source names class 'Trousers', which fashion-mnist lacks: did you mean 'Trouser'?");
  EXPECT_EQ(error_of(demo(), fake_fashion_mnist(599)),
            "samples.train_per_class is 600, class 'Trouser' of fashion-mnist has 599 images: ask for no more");
  EXPECT_EQ(error_of(demo(), fake_fashion_mnist(600, 0)),
            "samples.test_per_class is all, class 'Trouser' of fashion-mnist has 0 images: ask for no more");
  study = demo();
  study.train_per_class = 10;
  EXPECT_EQ(error_of(study, fake_fashion_mnist()),
            "training.batch_size is 64, a half of split named has 50 training images: lower it");
  EXPECT_EQ(error_of(demo(), fake_fashion_mnist(600, 1)), "no error");
}

TEST(PlanCost, ListsRunsAndSumsWhatIsLeft) {
  Study study = demo();
  study.seeds = {0};
  study.cuts = {1};
  study.treatments = {Treatment::base, Treatment::anb};
  const Plan plan = plan_of(study);
  ASSERT_EQ(plan.runs.size(), 3u);
  const auto cost = [](const RunSpec& run) { return RunCost{.flops = 1e12, .seconds = run.cut == 0 ? 60.0 : 30.0}; };
  const std::string text = plan_table(plan, cost, 2, {plan.runs[0].id});
  for (const RunSpec& run : plan.runs) EXPECT_NE(text.find(run.id), std::string::npos);
  EXPECT_NE(text.find("3 runs, 1 done, 2 to do: 2.00 TFLOP, about 45 s with 2 at a time\n"), std::string::npos) << text;
  const auto untimed = [](const RunSpec&) { return RunCost{.flops = 1e9, .seconds = 0.0}; };
  EXPECT_NE(plan_table(plan, untimed, 2).find("3 runs, 0 done, 3 to do: 3.00 GFLOP\n"), std::string::npos);
}

}  // namespace
}  // namespace graft
