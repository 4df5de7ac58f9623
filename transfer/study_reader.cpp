#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
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
  const Names names{"base", "BnB", "BnB+", "AnB", "AnB+", "random"};
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

void read_training(const YamlValue& value, TrainingSettings& training) {
  const YamlMap map(
      value, {"epochs", "batch_size", "optimizer", "lr", "momentum", "nesterov", "weight_decay", "schedule",
              "warmup_steps", "milestones", "gamma", "label_smoothing", "clip_norm", "amp", "crop_padding", "flip"});
  read_integer(map, "epochs", training.epochs, 1);
  read_integer(map, "batch_size", training.batch_size, 1);
  read_optimizer(map, training);
  read_schedule(map, training);
  read_word(map, "amp", training.amp, {"none", "bf16"});
  read_integer(map, "crop_padding", training.crop_padding, 0);
  if (const auto flip = map.find("flip")) training.flip = flip->boolean();
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

void read_grid(const YamlMap& root, Study& study) {
  study.treatments = read_treatments(root.at("treatments"));
  if (study.treatments == std::vector<Treatment>{Treatment::base}) {
    refuse(root, "cuts", "base as the only treatment");
  } else {
    study.cuts =
        distinct(root.at("cuts"), [](const YamlValue& cut) { return static_cast<int>(cut.integer(1, 10000)); });
  }
  study.seeds = distinct(root.at("seeds"), [](const YamlValue& seed) { return seed.unsigned_integer(); });
}

}  // namespace

Study parse_study(const std::string& yaml, const std::string& file_name) {
  const YamlMap root(YamlValue(parse_yaml(yaml, file_name), "", file_name),
                     {"name", "dataset", "model", "split", "samples", "treatments", "cuts", "seeds",
                      "batch_norm_policy", "images", "training", "feature_cache"});
  Study study;
  study.name = folder_name(root.at("name"));
  study.dataset = read_dataset(root.at("dataset"));
  study.model = root.at("model").one_of(names_of(backbones()));
  if (const auto images = root.find("images")) study.images = read_images(*images);
  read_split(root.at("split"), study);
  if (const auto samples = root.find("samples")) read_samples(*samples, study);
  read_grid(root, study);
  if (const auto policy = root.find("batch_norm_policy")) {
    study.bn_policy = batch_norm_policy_from_name(policy->one_of(Names{"eval", "batch", "update"}));
  }
  if (const auto training = root.find("training")) read_training(*training, study.training);
  if (const auto value = root.find("feature_cache")) {
    read_integer(YamlMap(*value, {"budget_mib"}), "budget_mib", study.feature_cache_mib, 0);
  }
  return study;
}

Study read_study(const std::filesystem::path& file) { return parse_study(read_text(file), file.string()); }

}  // namespace graft
