#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "engine/base/error.h"
#include "engine/io/file.h"
#include "models/backbone.h"
#include "transfer/split_reader.h"
#include "transfer/study.h"
#include "transfer/study_yaml.h"

// The layout of a study file; docs/study-files.md describes it key by key.
namespace graft {
namespace {

using Names = std::vector<std::string>;
constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

std::string folder_name(const YamlValue& value) {
  std::string name = value.text();
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  value.require(plain && name[0] != '.', "is '" + name + "': it names a folder, use letters, digits, '-', '_' and '.'");
  return name;
}

std::int64_t read_per_class(const YamlMap& samples, const char* key) {
  const auto value = samples.find(key);
  if (!value || value->is("all")) return 0;
  return value->integer(1, kMost);
}

void read_samples(const YamlValue& value, Study& study) {
  const YamlMap samples(value, {"train_per_class", "source_train_per_class", "test_per_class"});
  study.train_per_class = read_per_class(samples, "train_per_class");
  study.test_per_class = read_per_class(samples, "test_per_class");
  if (const auto source = samples.find("source_train_per_class")) {
    study.source_train_per_class = read_per_class(samples, "source_train_per_class");
    source->require(!study.both_directions, "and split.both_directions exclude each other: keep one");
    source->require(study.source_checkpoint.empty(), "has no effect with split.source.checkpoint");
  }
}

std::vector<Treatment> read_treatments(const YamlValue& list) {
  const Names names{"base", "BnB", "BnB+", "AnB", "AnB+", "random", "scratch", "probe"};
  return distinct(list, [&](const YamlValue& value) { return treatment_from_name(value.one_of(names)); });
}

/// A number that `holds`, or the message after it.
template <class Holds>
void read_number(const YamlMap& map, const char* key, double& into, Holds holds, const char* range) {
  if (const auto value = map.find(key)) {
    into = value->number();
    value->require(holds(into), fmt::format("is {}, must be {}", into, range));
  }
}

void read_integer(const YamlMap& map, const char* key, std::int64_t& into, std::int64_t least) {
  if (const auto value = map.find(key)) into = value->integer(least, kMost);
}

void read_word(const YamlMap& map, const char* key, std::string& into, const Names& known) {
  if (const auto value = map.find(key)) into = value->one_of(known);
}

/// A setting without effect is a mistake that would stay unseen.
void refuse(const YamlMap& map, const char* key, const std::string& why) {
  if (const auto value = map.find(key)) value->reject("has no effect with " + why);
}

void read_optimizer(const YamlMap& map, TrainingSettings& training) {
  const auto at_least_zero = [](double x) { return x >= 0.0; };
  const auto fraction = [](double x) { return x >= 0.0 && x < 1.0; };
  read_word(map, "optimizer", training.optimizer, {"sgd", "adamw"});
  read_number(
      map, "lr", training.lr, [](double x) { return x > 0.0; }, "above 0");
  if (training.optimizer == "sgd") {
    read_number(map, "momentum", training.momentum, fraction, "in [0, 1)");
    if (const auto nesterov = map.find("nesterov")) {
      training.nesterov = nesterov->boolean();
      nesterov->require(!training.nesterov || training.momentum > 0.0, "needs a momentum above 0");
    }
  } else {
    refuse(map, "momentum", "optimizer adamw");
    refuse(map, "nesterov", "optimizer adamw");
  }
  read_number(map, "weight_decay", training.weight_decay, at_least_zero, "at least 0");
  read_number(map, "clip_norm", training.clip_norm, at_least_zero, "at least 0 (0: no clipping)");
  read_number(map, "label_smoothing", training.label_smoothing, fraction, "in [0, 1)");
}

void read_length(const YamlMap& map, TrainingSettings& training) {
  read_integer(map, "epochs", training.epochs, 1);
  read_integer(map, "iterations", training.iterations, 1);
  if (training.iterations == 0) return;
  refuse(map, "epochs", "training.iterations");
  refuse(map, "source_epochs", "training.iterations");
}

void read_schedule(const YamlMap& map, TrainingSettings& training) {
  read_word(map, "schedule", training.schedule, {"constant", "step", "linear", "cosine"});
  read_integer(map, "warmup_steps", training.warmup_steps, 0);
  if (training.schedule != "step") {
    refuse(map, "milestones", "schedule " + training.schedule);
    refuse(map, "gamma", "schedule " + training.schedule);
    return;
  }
  const YamlValue milestones = map.at("milestones");
  training.milestones = distinct(milestones, [](const YamlValue& value) { return value.integer(1, kMost); });
  milestones.require(std::is_sorted(training.milestones.begin(), training.milestones.end()), "must rise");
  read_number(
      map, "gamma", training.gamma, [](double x) { return x > 0.0 && x <= 1.0; }, "in (0, 1]");
}

void read_training(const YamlValue& value, Study& study) {
  TrainingSettings& training = study.training;
  const YamlMap map(value, {"epochs", "source_epochs", "batch_size", "optimizer", "lr", "momentum", "nesterov",
                            "weight_decay", "schedule", "warmup_steps", "milestones", "gamma", "label_smoothing",
                            "clip_norm", "amp", "crop_padding", "flip", "iterations", "random_crop"});
  read_length(map, training);
  read_integer(map, "source_epochs", study.source_epochs, 1);
  if (const auto source = map.find("source_epochs")) {
    source->require(!study.both_directions, "and split.both_directions exclude each other: keep one");
    source->require(study.source_checkpoint.empty(), "has no effect with split.source.checkpoint");
  }
  read_integer(map, "batch_size", training.batch_size, 1);
  read_optimizer(map, training);
  read_schedule(map, training);
  read_word(map, "amp", training.amp, {"none", "bf16"});
  read_integer(map, "crop_padding", training.crop_padding, 0);
  if (const auto flip = map.find("flip")) training.flip = flip->boolean();
  if (const auto crop = map.find("random_crop")) training.random_crop = crop->boolean();
  if (training.random_crop) refuse(map, "crop_padding", "training.random_crop");
}

/// "published", or what differs from it.
ImagePreparation read_images(const YamlValue& value) {
  ImagePreparation images;
  if (value.is("published")) return images;
  const YamlMap map(value, {"size", "crop_pct", "interpolation", "mean", "std"});
  const auto channels = [&](const char* key) {
    std::vector<double> numbers;
    const auto list = map.find(key);
    if (!list) return numbers;
    for (const YamlValue& element : list->elements()) numbers.push_back(element.number());
    list->require(numbers.size() == 3, "must be three numbers: red, green and blue");
    return numbers;
  };
  read_integer(map, "size", images.size, 1);
  read_number(
      map, "crop_pct", images.crop_pct, [](double x) { return x > 0.0 && x <= 1.0; }, "in (0, 1]");
  read_word(map, "interpolation", images.interpolation, {"bilinear", "bicubic"});
  images.mean = channels("mean");
  images.deviation = channels("std");
  return images;
}

template <class Entries>
Names names_of(const Entries& entries) {
  Names names;
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

std::vector<BatchNormPolicy> read_batch_norm_policies(const YamlValue& value) {
  const Names names{"eval", "batch", "update"};
  const auto read = [&](const YamlValue& one) { return batch_norm_policy_from_name(one.one_of(names)); };
  if (value.node().IsScalar()) return {read(value)};
  return distinct(value, read);
}

/// What the carried stages of no cut would ever reach, or nobody asked for.
void check_fine_tuning(const YamlMap& map, const YamlValue& value, const Study& study) {
  const auto asked = [&](FineTuning policy) {
    return std::find(study.fine_tuning.begin(), study.fine_tuning.end(), policy) != study.fine_tuning.end();
  };
  const std::vector<std::pair<const char*, FineTuning>> owners{{"lp_ft_epochs", FineTuning::lp_ft},
                                                               {"gradual_epochs", FineTuning::gradual},
                                                               {"llrd_decay", FineTuning::llrd},
                                                               {"l2_sp_alpha", FineTuning::l2_sp}};
  for (const auto& [key, owner] : owners) {
    if (!asked(owner)) refuse(map, key, fmt::format("no {} among fine_tuning.policies", name_of(owner)));
  }
  value.require(std::any_of(study.treatments.begin(), study.treatments.end(), fine_tunes),
                "has no effect without BnB+ or AnB+ among the treatments");
  value.require(study.training.iterations == 0 || !(asked(FineTuning::lp_ft) || asked(FineTuning::gradual)),
                "lp-ft and gradual count epochs: give training.epochs instead of iterations");
  for (const FineTuning policy : study.fine_tuning) {
    for (const int cut : study.cuts) {
      value.require(first_free_epoch(policy, study.fine_tuning_settings, cut) < study.training.epochs,
                    fmt::format("{} leaves stages of cut {} frozen for all of {} epochs: give training more epochs",
                                name_of(policy), cut, study.training.epochs));
    }
  }
  value.require(!asked(FineTuning::l2_sp) || study.training.optimizer == "sgd", "l2-sp needs training.optimizer sgd");
  value.require(study.training.clip_norm == 0.0 || !(asked(FineTuning::llrd) || asked(FineTuning::l2_sp)),
                "llrd and l2-sp update groups of parameters apart, training.clip_norm clips them together: drop one");
}

void read_fine_tuning(const YamlMap& root, Study& study) {
  const auto value = root.find("fine_tuning");
  if (!value) return;
  const YamlMap map(*value, {"policies", "lp_ft_epochs", "gradual_epochs", "llrd_decay", "l2_sp_alpha"});
  Names names;
  for (const FineTuning policy : fine_tuning_policies()) names.emplace_back(name_of(policy));
  study.fine_tuning = distinct(map.at("policies"), [&](const YamlValue& one) {
    const auto at = std::find(names.begin(), names.end(), one.one_of(names));
    return fine_tuning_policies()[static_cast<std::size_t>(at - names.begin())];
  });
  FineTuningSettings& settings = study.fine_tuning_settings;
  read_integer(map, "lp_ft_epochs", settings.lp_ft_epochs, 1);
  read_integer(map, "gradual_epochs", settings.gradual_epochs, 1);
  read_number(
      map, "llrd_decay", settings.llrd_decay, [](double x) { return x > 0.0 && x <= 1.0; }, "in (0, 1]");
  read_number(
      map, "l2_sp_alpha", settings.l2_sp_alpha, [](double x) { return x > 0.0; }, "above 0");
  check_fine_tuning(map, *value, study);
}

void read_scratch(const YamlMap& root, Study& study) {
  const auto& treatments = study.treatments;
  const bool wanted = std::find(treatments.begin(), treatments.end(), Treatment::scratch) != treatments.end();
  if (!wanted) return refuse(root, "scratch", "no scratch among the treatments");
  const char* length = study.training.iterations > 0 ? "iterations" : "epochs";
  read_integer(YamlMap(root.at("scratch"), {length}), length, study.scratch_epochs, 1);
  root.at("scratch").require(study.scratch_epochs > 0, fmt::format("needs {}: how long is it trained?", length));
}

/// A number of stages or blocks, or the name of the last of them.
int read_cut(const YamlValue& value, const Study& study) {
  const std::string text = value.node().IsScalar() ? value.node().Scalar() : "";
  const bool name = !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0);
  if (!name) return static_cast<int>(value.integer(1, 10000));
  const Names names = cut_names(study.model, study.cuts_at);
  const auto among = [&](const Names& all) { return std::find(all.begin(), all.end(), text) != all.end(); };
  value.require(study.cuts_at == CutPlaces::blocks || among(names) || !among(cut_names(study.model, CutPlaces::blocks)),
                fmt::format("is '{}', a block of {}: say cuts_at: blocks", text, study.model));
  const std::string known = value.one_of(names);
  return static_cast<int>(std::find(names.begin(), names.end(), known) - names.begin()) + 1;
}

std::vector<int> read_cuts(const YamlValue& value, const Study& study) {
  if (!value.is("all")) return distinct(value, [&](const YamlValue& cut) { return read_cut(cut, study); });
  std::vector<int> cuts(cut_names(study.model, study.cuts_at).size());
  std::iota(cuts.begin(), cuts.end(), 1);
  return cuts;
}

void read_expected(const YamlMap& root, Study& study) {
  const auto value = root.find("expects");
  if (!value) return;
  const YamlMap map(*value, {"train", "test"});
  study.expects = {.train = map.at("train").integer(1, kMost), .test = map.at("test").integer(1, kMost)};
}

/// A file, or a mapping with what to say of it.
void read_reference(const YamlMap& root, Study& study) {
  const auto value = root.find("reference");
  if (!value) return;
  study.reference.emplace();
  if (value->node().IsScalar()) {
    study.reference->file = value->text();
    return;
  }
  const YamlMap map(*value, {"file", "source", "splits"});
  study.reference->file = map.at("file").text();
  if (const auto source = map.find("source")) study.reference->source = source->text();
  if (const auto splits = map.find("splits")) {
    study.reference->splits = distinct(*splits, [](const YamlValue& split) { return split.text(); });
  }
}

void read_grid(const YamlMap& root, Study& study) {
  study.treatments = read_treatments(root.at("treatments"));
  if (std::none_of(study.treatments.begin(), study.treatments.end(), has_cuts)) {
    refuse(root, "cuts_at", "no treatment that is made at cuts");
    refuse(root, "cuts", study.treatments.size() == 1 ? "base as the only treatment" : "base and scratch alone");
  } else {
    const Names places{name_of(CutPlaces::stages), name_of(CutPlaces::blocks)};
    if (const auto at = root.find("cuts_at")) study.cuts_at = cut_places_from_name(at->one_of(places));
    study.cuts = read_cuts(root.at("cuts"), study);
  }
  study.seeds = distinct(root.at("seeds"), [](const YamlValue& seed) { return seed.unsigned_integer(); });
}

}  // namespace

Study parse_study(const std::string& yaml, const std::string& file_name) {
  const YamlMap root(
      YamlValue(parse_yaml(yaml, file_name), "", file_name),
      {"name",    "dataset",           "model",       "split",    "samples", "treatments", "cuts",          "seeds",
       "margin",  "batch_norm_policy", "fine_tuning", "scratch",  "images",  "training",   "feature_cache", "cuts_at",
       "expects", "reference",         "license",     "subgroups"});
  Study study;
  study.name = folder_name(root.at("name"));
  study.dataset = read_dataset(root.at("dataset"));
  if (const auto license = root.find("license")) study.license = license->text();
  study.model = root.at("model").one_of(names_of(backbones()));
  if (const auto images = root.find("images")) study.images = read_images(*images);
  read_split(root.at("split"), study);
  if (const auto samples = root.find("samples")) read_samples(*samples, study);
  if (const auto subgroups = root.find("subgroups")) study.subgroups = subgroups->text();
  read_grid(root, study);
  if (const auto policy = root.find("batch_norm_policy")) study.bn_policies = read_batch_norm_policies(*policy);
  if (const auto training = root.find("training")) read_training(*training, study);
  read_fine_tuning(root, study);
  if (const auto margin = root.find("margin")) {
    study.margin = margin->number();
    margin->require(*study.margin > 0.0 && *study.margin < 0.5, "must be a fraction of top-1 above 0 and below 0.5");
  }
  read_scratch(root, study);
  read_expected(root, study);
  read_reference(root, study);
  if (const auto value = root.find("feature_cache")) {
    read_integer(YamlMap(*value, {"budget_mib"}), "budget_mib", study.feature_cache_mib, 0);
  }
  return study;
}

Study read_study(const std::filesystem::path& file) { return parse_study(read_text(file), file.string()); }

}  // namespace graft
