#include "transfer/study.h"

#include <gtest/gtest.h>

#include <functional>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "tests/transfer/study_fixture.h"

namespace graft {
namespace {

using testing::shipped_study;

TEST(Study, DemoAsksForWhatItsPageSays) {
  const Study study = read_study(shipped_study("fashion-mnist-clothing"));
  EXPECT_EQ(study.name, "fashion-mnist-clothing");
  EXPECT_EQ(study.dataset, "fashion-mnist");
  EXPECT_EQ(study.model, "convnet6");
  EXPECT_EQ(study.source_classes, (std::vector<std::string>{"Trouser", "Sandal", "Sneaker", "Bag", "Ankle boot"}));
  EXPECT_EQ(study.target_classes, (std::vector<std::string>{"T-shirt/top", "Pullover", "Dress", "Coat", "Shirt"}));
  EXPECT_EQ(study.random_splits, 0);
  EXPECT_FALSE(study.both_directions);
  EXPECT_EQ(study.train_per_class, 600);
  EXPECT_EQ(study.test_per_class, 0);
  EXPECT_EQ(study.treatments.size(), 6u);
  EXPECT_EQ(study.cuts, (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(study.seeds, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(study.bn_policies, std::vector<BatchNormPolicy>{BatchNormPolicy::eval});
  const TrainingSettings& t = study.training;
  EXPECT_EQ(t.epochs, 10);
  EXPECT_EQ(t.batch_size, 64);
  EXPECT_EQ(t.optimizer, "sgd");
  EXPECT_EQ(t.lr, 0.05);
  EXPECT_EQ(t.momentum, 0.9);
  EXPECT_FALSE(t.nesterov);
  EXPECT_EQ(t.weight_decay, 5e-4);
  EXPECT_EQ(t.schedule, "linear");
  EXPECT_EQ(t.warmup_steps, 50);
  EXPECT_EQ(t.amp, "none");
  EXPECT_EQ(t.crop_padding, 0);
  EXPECT_FALSE(t.flip);
}

TEST(Study, RandomHalves) {
  const Study study = read_study(shipped_study("fashion-mnist-random"));
  EXPECT_EQ(study.random_splits, 4);
  EXPECT_TRUE(study.both_directions);
  EXPECT_EQ(study.train_per_class, 1000);
  EXPECT_TRUE(study.source_classes.empty());
}

TEST(Study, TreatmentsFreezeAndCopy) {
  EXPECT_FALSE(freezes(Treatment::base) || freezes(Treatment::bnb_plus) || freezes(Treatment::anb_plus));
  EXPECT_TRUE(freezes(Treatment::bnb) && freezes(Treatment::anb) && freezes(Treatment::random));
  EXPECT_FALSE(copies_layers(Treatment::base) || copies_layers(Treatment::random));
  EXPECT_TRUE(copies_layers(Treatment::bnb) && copies_layers(Treatment::bnb_plus));
  EXPECT_TRUE(copies_layers(Treatment::anb) && copies_layers(Treatment::anb_plus));
  EXPECT_TRUE(freezes(Treatment::probe) && copies_layers(Treatment::probe) && has_cuts(Treatment::probe));
  EXPECT_TRUE(copies_from_other_half(Treatment::probe) && !copies_from_other_half(Treatment::bnb));
  for (const char* name : {"base", "BnB", "BnB+", "AnB", "AnB+", "random", "scratch", "probe"}) {
    EXPECT_STREQ(name_of(treatment_from_name(name)), name);
  }
  EXPECT_THROW(treatment_from_name("anb"), Error);
}

TEST(Study, NamesTheFirstDifference) {
  const Study study = read_study(shipped_study("fashion-mnist-clothing"));
  EXPECT_EQ(first_difference(study, study), "");
  Study other = study;
  other.feature_cache_mib = 0;  // changes no bit
  EXPECT_EQ(first_difference(study, other), "");
  other.training.lr = 0.1;
  EXPECT_EQ(first_difference(study, other), "training.lr: 0.05 here, 0.1 there");
  other.cuts = {1, 2};
  EXPECT_EQ(first_difference(study, other), "cuts: [1, 2, 3, 4, 5, 6] here, [1, 2] there");
}

TEST(Study, EverySettingIsCompared) {
  const Study study = read_study(shipped_study("fashion-mnist-clothing"));
  const std::vector<std::function<void(Study&)>> changes{[](Study& s) { s.name += "x"; },
                                                         [](Study& s) { s.dataset += "x"; },
                                                         [](Study& s) { s.model += "x"; },
                                                         [](Study& s) { s.source_classes.pop_back(); },
                                                         [](Study& s) { s.target_classes.pop_back(); },
                                                         [](Study& s) { s.random_splits = 1; },
                                                         [](Study& s) { s.split_seed = 1; },
                                                         [](Study& s) { s.both_directions = true; },
                                                         [](Study& s) { s.train_per_class = 1; },
                                                         [](Study& s) { s.test_per_class = 1; },
                                                         [](Study& s) { s.treatments.pop_back(); },
                                                         [](Study& s) { s.seeds.pop_back(); },
                                                         [](Study& s) { s.bn_policies = {BatchNormPolicy::batch}; },
                                                         [](Study& s) { s.training.epochs = 1; },
                                                         [](Study& s) { s.training.batch_size = 1; },
                                                         [](Study& s) { s.training.optimizer = "adamw"; },
                                                         [](Study& s) { s.training.momentum = 0.5; },
                                                         [](Study& s) { s.training.nesterov = true; },
                                                         [](Study& s) { s.training.weight_decay = 0; },
                                                         [](Study& s) { s.training.schedule = "step"; },
                                                         [](Study& s) { s.training.warmup_steps = 1; },
                                                         [](Study& s) { s.training.milestones = {1}; },
                                                         [](Study& s) { s.training.gamma = 0.5; },
                                                         [](Study& s) { s.training.label_smoothing = 0.1; },
                                                         [](Study& s) { s.training.clip_norm = 1; },
                                                         [](Study& s) { s.training.amp = "bf16"; },
                                                         [](Study& s) { s.training.crop_padding = 1; },
                                                         [](Study& s) { s.training.flip = true; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Study other = study;
    changes[i](other);
    EXPECT_NE(first_difference(study, other), "") << "change " << i;
  }
}

}  // namespace
}  // namespace graft
