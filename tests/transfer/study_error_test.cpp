#include <gtest/gtest.h>

#include <string>

#include "engine/base/error.h"
#include "transfer/study.h"

namespace graft {
namespace {

/// A whole study file, one key a line, of which a test replaces a line.
const std::vector<std::pair<std::string, std::string>> kLines{
    {"name", "name: s"},
    {"dataset", "dataset: fashion-mnist"},
    {"model", "model: convnet6"},
    {"split", "split: {source: [Bag, Sandal], target: [Coat, Shirt]}"},
    {"samples", "samples: {train_per_class: 600}"},
    {"treatments", "treatments: [base, AnB]"},
    {"cuts", "cuts: [1, 2]"},
    {"seeds", "seeds: [0, 1]"},
    {"training", "training: {epochs: 10}"}};

/// The file with the line of `key` replaced (removed if `line` is empty).
std::string with(const std::string& key, const std::string& line) {
  std::string text;
  for (const auto& [name, original] : kLines) {
    const std::string& chosen = name == key ? line : original;
    if (!chosen.empty()) text += chosen + "\n";
  }
  return text;
}

std::string error_of(const std::string& yaml) {
  try {
    parse_study(yaml, "s.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "more than one line: " << error.what();
    return error.what();
  }
  return "no error";
}

TEST(StudyError, TheUnchangedFileIsRead) { EXPECT_EQ(error_of(with("", "")), "no error"); }

TEST(StudyError, UnknownKeyNamesTheNearest) {
  EXPECT_EQ(error_of(with("training", "training:\n  batch_size: 64\n  epoch: 10")),
            "s.yaml:11: unknown key 'training.epoch': did you mean 'training.epochs'?");
  EXPECT_EQ(error_of(with("seeds", "sedes: [0]")), "s.yaml:8: unknown key 'sedes': did you mean 'seeds'?");
  EXPECT_EQ(error_of(with("samples", "samples: {train_per_clas: 5}")),
            "s.yaml:5: unknown key 'samples.train_per_clas': did you mean 'samples.train_per_class'?");
}

TEST(StudyError, MissingKey) {
  for (const char* key : {"name", "dataset", "model", "split", "treatments", "cuts", "seeds"}) {
    EXPECT_EQ(error_of(with(key, "")), std::string("s.yaml:1: missing key '") + key + "'");
  }
  EXPECT_EQ(error_of(with("split", "split: {source: [Bag, Sandal]}")), "s.yaml:4: missing key 'split.target'");
  EXPECT_EQ(error_of(with("training", "training: {schedule: step}")), "s.yaml:9: missing key 'training.milestones'");
}

TEST(StudyError, RepeatedKey) {
  EXPECT_EQ(error_of(with("seeds", "seeds: [0]\nseeds: [1]")), "s.yaml:9: key 'seeds' is given twice");
}

TEST(StudyError, ClassInBothHalves) {
  EXPECT_EQ(error_of(with("split", "split:\n  source: [Bag, Coat]\n  target: [Shirt,\n    Coat]")),
            "s.yaml:7: split.target[1] is 'Coat', which is in split.source too: a class belongs to one half");
  EXPECT_EQ(error_of(with("split", "split: {source: [Bag, Bag], target: [Coat, Shirt]}")),
            "s.yaml:4: split.source[1] is 'Bag' a second time");
  EXPECT_EQ(error_of(with("split", "split: {source: [Bag], target: [Coat, Shirt]}")),
            "s.yaml:4: split.source has one class, a half needs at least two to tell apart");
  EXPECT_EQ(error_of(with("split", "split: {random_halves: 2, source: [Bag, Coat]}")),
            "s.yaml:4: split.source and split.random_halves exclude each other: keep one");
}

TEST(StudyError, WhereTheSourceComesFrom) {
  const auto split = [](const std::string& text) { return error_of(with("split", "split: " + text)); };
  EXPECT_EQ(split("{source: all, target: [Coat, Shirt]}"),
            "s.yaml:4: split.source is 'all': what is left for the target?");
  EXPECT_EQ(split("{source: {dataset: cifar11}, target: all}").rfind("s.yaml:4: split.source.dataset is 'cifar11'", 0),
            0u);
  EXPECT_EQ(split("{source: {checkpoint: a.pth}, target: all}"),
            "s.yaml:4: split.source.checkpoint needs `images`: say how they are prepared for these weights, such as "
            "`images: published`");
  EXPECT_EQ(split("{source: {checkpoint: a.pth, dataset: cifar10}, target: all}"),
            "s.yaml:4: split.source.dataset and split.source.checkpoint exclude each other: keep one");
  EXPECT_EQ(split("{source: {dataset: cifar10, license: MIT}, target: all}"),
            "s.yaml:4: split.source.license is of split.source.checkpoint, which is not there");
  EXPECT_EQ(error_of(with("split",
                          "images: published\nsplit: {source: {checkpoint: a.pth}, target: all, "
                          "both_directions: true}")),
            "s.yaml:5: split.both_directions and split.source.checkpoint exclude each other: published weights have no "
            "images to be a target with");
  EXPECT_EQ(split("{source: [Bag, Coat], target: [Shirt, Coat], overlap: [Coat]}"), "no error");
}

TEST(StudyError, Groups) {
  const auto split = [](const std::string& text) { return error_of(with("split", "split: " + text)); };
  const std::string groups = "groups: {shoes: [Sandal, Sneaker], tops: [Coat, Shirt]}";
  EXPECT_EQ(split("{" + groups + ", source: [shoes], target: [tops]}"), "no error");
  EXPECT_EQ(split("{" + groups + ", source: [shoe], target: [tops]}"),
            "s.yaml:4: split.source[0] is 'shoe': did you mean 'shoes'? Known: shoes, tops");
  EXPECT_EQ(split("{" + groups + ", random_halves: 2}"),
            "s.yaml:4: split.groups needs split.halves: similar or "
            "dissimilar");
  EXPECT_EQ(split("{random_halves: 2, halves: similar}"),
            "s.yaml:4: split.halves needs split.groups: of what are the halves similar or not?");
  EXPECT_EQ(split("{groups: {shoes: [Sandal, Sneaker], more: [Sneaker, Bag]}, source: [shoes], target: [more]}"),
            "s.yaml:4: split.groups.more[0] is 'Sneaker', which is in group shoes already");
  EXPECT_EQ(split("{groups: nowhere.yaml, source: [a], target: [b]}"),
            "s.yaml:4: split.groups names nowhere.yaml, which is not there, nor nowhere.yaml");
}

TEST(StudyError, FineTuning) {
  const auto tuned = [](const std::string& text, const std::string& treatments = "[base, AnB+]") {
    std::string whole = with("treatments", "treatments: " + treatments);
    return error_of(whole + "fine_tuning: " + text + "\n");
  };
  EXPECT_EQ(tuned("{policies: [plain, lp-ft], lp_ft_epochs: 9}"), "no error");
  EXPECT_EQ(tuned("{policies: [lpft]}").rfind("s.yaml:10: fine_tuning.policies[0] is 'lpft': did you mean 'lp-ft'?", 0),
            0u);
  EXPECT_EQ(
      tuned("{policies: [lp-ft], lp_ft_epochs: 10}"),
      "s.yaml:10: fine_tuning lp-ft leaves stages of cut 1 frozen for all of 10 epochs: give training more epochs");
  EXPECT_EQ(
      tuned("{policies: [gradual], gradual_epochs: 5}"),
      "s.yaml:10: fine_tuning gradual leaves stages of cut 2 frozen for all of 10 epochs: give training more epochs");
  EXPECT_EQ(tuned("{policies: [plain], llrd_decay: 0.5}"),
            "s.yaml:10: fine_tuning.llrd_decay has no effect with no llrd among fine_tuning.policies");
  EXPECT_EQ(tuned("{policies: [lp-ft]}", "[base, AnB]"),
            "s.yaml:10: fine_tuning has no effect without BnB+ or AnB+ among the treatments");
}

TEST(StudyError, Margin) {
  EXPECT_EQ(error_of(with("seeds", "seeds: [0]\nmargin: 0.01")), "no error");
  EXPECT_EQ(error_of(with("seeds", "seeds: [0]\nmargin: 1")),
            "s.yaml:9: margin must be a fraction of top-1 above 0 and below 0.5");
}

TEST(StudyError, Scratch) {
  EXPECT_EQ(error_of(with("", "") + "scratch: {epochs: 5}\n"),
            "s.yaml:10: scratch has no effect with no scratch among the treatments");
  EXPECT_EQ(error_of(with("treatments", "treatments: [base, scratch, AnB]")), "s.yaml:1: missing key 'scratch'");
  EXPECT_EQ(error_of(with("treatments", "treatments: [base, scratch, AnB]") + "scratch: {epochs: 5}\n"), "no error");
}

TEST(StudyError, Images) {
  EXPECT_EQ(error_of(with("model", "model: convnet6\nimages: published")), "no error");
  EXPECT_EQ(error_of(with("model", "model: convnet6\nimages: {size: 0}")),
            "s.yaml:4: images.size is 0, must be at "
            "least 1");
  EXPECT_EQ(error_of(with("model", "model: convnet6\nimages: {mean: [0.5]}")),
            "s.yaml:4: images.mean must be three numbers: red, green and blue");
  EXPECT_EQ(error_of(with("model", "model: convnet6\nimages: {crop_pct: 1.5}")),
            "s.yaml:4: images.crop_pct is 1.5, must be in (0, 1]");
}

TEST(StudyError, ZeroSamples) {
  EXPECT_EQ(error_of(with("samples", "samples: {train_per_class: 0}")),
            "s.yaml:5: samples.train_per_class is 0, must be at least 1");
  EXPECT_EQ(error_of(with("samples", "samples: {test_per_class: 0}")),
            "s.yaml:5: samples.test_per_class is 0, must be at least 1");
}

TEST(StudyError, CutsSeedsAndTreatments) {
  EXPECT_EQ(error_of(with("cuts", "cuts: [1, 0]")), "s.yaml:7: cuts[1] is 0, must be at least 1");
  EXPECT_EQ(error_of(with("cuts", "cuts: [1, 2, 1]")), "s.yaml:7: cuts[2] is '1' a second time");
  EXPECT_EQ(error_of(with("cuts", "cuts: 3")), "s.yaml:7: cuts is '3', expected a list in [ ]");
  EXPECT_EQ(error_of(with("cuts", "cuts: []")), "s.yaml:7: cuts is an empty list, name at least one");
  EXPECT_EQ(error_of(with("cuts", "cuts: [1.5]")), "s.yaml:7: cuts[0] is '1.5', expected a whole number");
  EXPECT_EQ(error_of(with("seeds", "seeds: [3, 3]")), "s.yaml:8: seeds[1] is '3' a second time");
  EXPECT_EQ(error_of(with("seeds", "seeds: [-1]")),
            "s.yaml:8: seeds[0] is '-1', expected a whole number from 0 to 2^64 - 1");
  EXPECT_EQ(error_of(with("treatments", "treatments: [base, AnC]")),
            "s.yaml:6: treatments[1] is 'AnC': did you mean 'AnB'? Known: base, BnB, BnB+, AnB, AnB+, random, "
            "scratch, probe");
  EXPECT_EQ(error_of(with("treatments", "treatments: [AnB, AnB]")), "s.yaml:6: treatments[1] is 'AnB' a second time");
  EXPECT_EQ(error_of(with("treatments", "treatments: [base]")),
            "s.yaml:7: cuts has no effect with base as the only treatment");
}

TEST(StudyError, NamesOfModelAndDataSet) {
  EXPECT_EQ(
      error_of(with("model", "model: convnet7")).rfind("s.yaml:3: model is 'convnet7': did you mean 'convnet6'?", 0),
      0u);
  EXPECT_EQ(error_of(with("dataset", "dataset: fasion-mnist"))
                .rfind("s.yaml:2: dataset is 'fasion-mnist': did you mean 'fashion-mnist'?", 0),
            0u);
  EXPECT_EQ(error_of(with("name", "name: ../s")),
            "s.yaml:1: name is '../s': it names a folder, use letters, digits, '-', '_' and '.'");
}

TEST(StudyError, WrongTypes) {
  const auto training = [](const std::string& entry) {
    return error_of(with("training", "training: {" + entry + "}"));
  };
  EXPECT_EQ(training("epochs: ten"), "s.yaml:9: training.epochs is 'ten', expected a whole number");
  EXPECT_EQ(training("epochs: [1]"), "s.yaml:9: training.epochs is a list, expected a whole number");
  EXPECT_EQ(training("lr: fast"), "s.yaml:9: training.lr is 'fast', expected a number");
  EXPECT_EQ(training("lr: .nan"), "s.yaml:9: training.lr is '.nan', expected a number");
  EXPECT_EQ(training("lr: inf"), "s.yaml:9: training.lr is 'inf', expected a number");
  EXPECT_EQ(training("flip: yes"), "s.yaml:9: training.flip is 'yes', expected true or false");
  EXPECT_EQ(training("epochs:"), "s.yaml:9: training.epochs is empty, expected a whole number");
  EXPECT_EQ(error_of(with("training", "training: fast")), "s.yaml:9: training must be a mapping of keys to values");
}

TEST(StudyError, ValuesOutOfRange) {
  const auto training = [](const std::string& entry) {
    return error_of(with("training", "training: {" + entry + "}"));
  };
  EXPECT_EQ(training("epochs: 0"), "s.yaml:9: training.epochs is 0, must be at least 1");
  EXPECT_EQ(training("batch_size: -64"), "s.yaml:9: training.batch_size is -64, must be at least 1");
  EXPECT_EQ(training("lr: 0"), "s.yaml:9: training.lr is 0, must be above 0");
  EXPECT_EQ(training("momentum: 1"), "s.yaml:9: training.momentum is 1, must be in [0, 1)");
  EXPECT_EQ(training("weight_decay: -1e-4"), "s.yaml:9: training.weight_decay is -0.0001, must be at least 0");
  EXPECT_EQ(training("label_smoothing: 1"), "s.yaml:9: training.label_smoothing is 1, must be in [0, 1)");
  EXPECT_EQ(training("warmup_steps: -1"), "s.yaml:9: training.warmup_steps is -1, must be at least 0");
  EXPECT_EQ(training("epochs: 99999999999"), "s.yaml:9: training.epochs is 99999999999, must be at most 2147483647");
  EXPECT_EQ(training("schedule: step, milestones: [5, 3]"), "s.yaml:9: training.milestones must rise");
  EXPECT_EQ(training("schedule: step, milestones: [5], gamma: 0"), "s.yaml:9: training.gamma is 0, must be in (0, 1]");
  EXPECT_EQ(training("amp: fp8"), "s.yaml:9: training.amp is 'fp8': did you mean 'bf16'? Known: none, bf16");
  EXPECT_EQ(error_of(with("samples", "samples: {}\nfeature_cache: {budget_mib: -1}")),
            "s.yaml:6: feature_cache.budget_mib is -1, must be at least 0");
}

TEST(StudyError, SettingsWithoutEffect) {
  const auto training = [](const std::string& entry) {
    return error_of(with("training", "training: {" + entry + "}"));
  };
  EXPECT_EQ(training("optimizer: adamw, momentum: 0.9"),
            "s.yaml:9: training.momentum has no effect with optimizer adamw");
  EXPECT_EQ(training("gamma: 0.5"), "s.yaml:9: training.gamma has no effect with schedule linear");
  EXPECT_EQ(training("momentum: 0, nesterov: true"), "s.yaml:9: training.nesterov needs a momentum above 0");
}

TEST(StudyError, BadYaml) {
  EXPECT_EQ(error_of(with("cuts", "cuts: [1, 2")).rfind("s.yaml:8: bad YAML: ", 0), 0u);
  EXPECT_EQ(error_of("a: b: c\n").rfind("s.yaml:1: bad YAML: ", 0), 0u);
  EXPECT_EQ(error_of(", x: 1\n").rfind("s.yaml:1: ", 0), 0u) << "of which yaml-cpp makes documents without end";
  EXPECT_EQ(error_of("a: \"x\\\x01y\"\n"), "s.yaml:1: bad YAML: unknown escape character: ?");
  EXPECT_EQ(error_of("a: \"x\\\ry\"\n").find('\r'), std::string::npos);
  EXPECT_EQ(error_of("\"a\\nb\": 1\n").find('\n'), std::string::npos);
  EXPECT_EQ(error_of(""), "s.yaml:1: the file is empty");
  EXPECT_EQ(error_of("# nothing\n"), "s.yaml:1: the file is empty");
  EXPECT_EQ(error_of("- a\n"), "s.yaml:1: expected a mapping of keys to values");
  EXPECT_EQ(error_of(with("", "") + "---\nname: t\n").rfind("s.yaml:11: a second document", 0), 0u);
}

TEST(StudyError, MissingFile) { EXPECT_THROW(read_study("there/is/no.yaml"), Error); }

}  // namespace
}  // namespace graft
