#include "transfer/study.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

constexpr std::array<std::pair<Treatment, const char*>, 8> kTreatments{{{Treatment::base, "base"},
                                                                        {Treatment::bnb, "BnB"},
                                                                        {Treatment::bnb_plus, "BnB+"},
                                                                        {Treatment::anb, "AnB"},
                                                                        {Treatment::anb_plus, "AnB+"},
                                                                        {Treatment::random, "random"},
                                                                        {Treatment::scratch, "scratch"},
                                                                        {Treatment::probe, "probe"}}};

using Setting = std::pair<std::string, std::string>;  ///< key and value

template <class T>
std::string list_text(const std::vector<T>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

std::string per_class_text(std::int64_t count) { return count == 0 ? "all" : fmt::to_string(count); }

std::vector<Setting> training_settings(const TrainingSettings& t) {
  return {{"epochs", t.iterations > 0 ? "by iterations" : fmt::to_string(t.epochs)},
          {"iterations", t.iterations > 0 ? fmt::to_string(t.iterations) : "by epochs"},
          {"batch_size", fmt::to_string(t.batch_size)},
          {"optimizer", t.optimizer},
          {"lr", fmt::to_string(t.lr)},
          {"momentum", fmt::to_string(t.momentum)},
          {"nesterov", fmt::to_string(t.nesterov)},
          {"weight_decay", fmt::to_string(t.weight_decay)},
          {"schedule", t.schedule},
          {"warmup_steps", fmt::to_string(t.warmup_steps)},
          {"milestones", list_text(t.milestones)},
          {"gamma", fmt::to_string(t.gamma)},
          {"label_smoothing", fmt::to_string(t.label_smoothing)},
          {"clip_norm", fmt::to_string(t.clip_norm)},
          {"amp", t.amp},
          {"crop_padding", fmt::to_string(t.crop_padding)},
          {"flip", fmt::to_string(t.flip)},
          {"random_crop", fmt::to_string(t.random_crop)}};
}

template <class Values>
std::string names_text(const Values& values) {
  std::vector<std::string> names;
  names.reserve(values.size());
  for (const auto value : values) names.emplace_back(name_of(value));
  return list_text(names);
}

std::string fine_tuning_text(const Study& study) {
  std::vector<std::string> texts;
  for (const FineTuning policy : study.fine_tuning) texts.push_back(text_of(policy, study.fine_tuning_settings));
  return list_text(texts);
}

std::string groups_text(const std::vector<ClassGroup>& groups) {
  std::string text;
  for (const ClassGroup& group : groups) text += fmt::format("{}: {}; ", group.name, list_text(group.classes));
  return text;
}

std::string splits_text(const std::vector<NamedSplit>& splits) {
  std::vector<std::string> texts;
  for (const NamedSplit& split : splits) {
    const std::string hash = sha256_hex(list_text(split.source) + list_text(split.target));
    texts.push_back(fmt::format("{} ({} and {} classes, {})", split.name, split.source.size(),
                                split.target.empty() ? "the other" : fmt::to_string(split.target.size()),
                                hash.substr(0, 16)));
  }
  return list_text(texts);
}

std::string images_text(const ImagePreparation& images) {
  return fmt::format("size {}, crop_pct {}, interpolation {}, mean {}, std {}", images.size, images.crop_pct,
                     images.interpolation, list_text(images.mean), list_text(images.deviation));
}

}  // namespace

const char* name_of(Treatment treatment) {
  for (const auto& [known, name] : kTreatments) {
    if (known == treatment) return name;
  }
  throw Error("[treatment] no such treatment");
}

Treatment treatment_from_name(const std::string& name) {
  for (const auto& [treatment, known] : kTreatments) {
    if (known == name) return treatment;
  }
  fail(ErrorKind::usage, "[treatment] '{}' is none of base, BnB, BnB+, AnB, AnB+, random, scratch, probe", name);
}

const char* name_of(GroupUse use) {
  return use == GroupUse::none ? "none" : use == GroupUse::similar ? "similar" : "dissimilar";
}

bool freezes(Treatment treatment) {
  return treatment == Treatment::bnb || treatment == Treatment::anb || treatment == Treatment::random ||
         treatment == Treatment::probe;
}

bool copies_layers(Treatment treatment) {
  return treatment != Treatment::base && treatment != Treatment::random && treatment != Treatment::scratch;
}

bool copies_from_other_half(Treatment treatment) {
  return treatment == Treatment::anb || treatment == Treatment::anb_plus || treatment == Treatment::probe;
}

std::string label_of(const Method& method) {
  std::string label = name_of(method.treatment);
  if (method.fine_tuning != FineTuning::plain) label += fmt::format(" {}", name_of(method.fine_tuning));
  if (method.bn_policy != BatchNormPolicy::eval) label += fmt::format(" bn-{}", name_of(method.bn_policy));
  return label;
}

std::vector<Method> methods_of(const Study& study) {
  std::vector<Method> methods;
  for (const Treatment treatment : study.treatments) {
    if (fine_tunes(treatment)) {
      for (const FineTuning policy : study.fine_tuning) methods.push_back({treatment, policy});
    } else if (freezes(treatment)) {
      for (const BatchNormPolicy policy : study.bn_policies) methods.push_back({treatment, FineTuning::plain, policy});
    } else {
      methods.push_back({treatment});
    }
  }
  return methods;
}

std::vector<Setting> settings_of(const Study& study) {
  std::vector<std::string> treatments;
  for (const Treatment treatment : study.treatments) treatments.emplace_back(name_of(treatment));
  std::vector<Setting> all{
      {"name", study.name},
      {"dataset", study.dataset},
      {"model", study.model},
      {"split.source", list_text(study.source_classes)},
      {"split.source.dataset", study.source_dataset},
      {"split.source.checkpoint", study.source_checkpoint},
      {"split.target", list_text(study.target_classes)},
      {"split.splits", splits_text(study.named_splits)},
      {"split.random_halves", fmt::to_string(study.random_splits)},
      {"split.seed", fmt::to_string(study.split_seed)},
      {"split.overlap", list_text(study.overlap)},
      {"split.groups", groups_text(study.groups)},
      {"split.halves", name_of(study.group_use)},
      {"split.both_directions", fmt::to_string(study.both_directions)},
      {"samples.train_per_class", per_class_text(study.train_per_class)},
      {"samples.source_train_per_class", per_class_text(study.source_train_per_class.value_or(study.train_per_class))},
      {"samples.test_per_class", per_class_text(study.test_per_class)},
      {"subgroups", study.subgroups.empty() ? "[]" : study.subgroups},
      {"treatments", list_text(treatments)},
      {"cuts", list_text(study.cuts)},
      {"cuts_at", name_of(study.cuts_at)},
      {"seeds", list_text(study.seeds)},
      {"batch_norm_policy", names_text(study.bn_policies)},
      {"margin", study.margin ? fmt::to_string(*study.margin) : "none"},
      {"fine_tuning", names_text(study.fine_tuning)},
      {"fine_tuning.settings", fine_tuning_text(study)},
      {"training.source_epochs", fmt::to_string(study.source_epochs)},
      {"scratch.epochs", fmt::to_string(study.scratch_epochs)},
      {"images", study.images ? images_text(*study.images) : "as they are"}};
  for (auto& [key, value] : training_settings(study.training)) all.emplace_back("training." + key, std::move(value));
  return all;
}

std::int64_t total_steps(const TrainingSettings& training, std::int64_t steps_per_epoch) {
  return training.iterations > 0 ? training.iterations : training.epochs * steps_per_epoch;
}

std::string first_difference(const Study& here, const Study& there) {
  const auto left = settings_of(here);
  const auto right = settings_of(there);
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i] != right[i])
      return fmt::format("{}: {} here, {} there", left[i].first, left[i].second, right[i].second);
  }
  return "";
}

}  // namespace graft
