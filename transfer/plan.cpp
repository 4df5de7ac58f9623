#include "transfer/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/io/sha256.h"
#include "transfer/plan_check.h"

namespace graft {
namespace {

using SortedJson = nlohmann::json;  // by key: dump() is canonical

constexpr std::size_t kIdDigits = 16;
constexpr int kIdFormat = 1;  ///< raised when the same settings begin to mean other numbers

const std::vector<std::int64_t>& half_of(const Split& split, const std::string& half) {
  return half == "A" ? split.source : split.target;
}

std::string other_half(const std::string& half) { return std::string(1, half == "A" ? 'B' : 'A'); }

SortedJson training_json(const TrainingSettings& t) {
  SortedJson json{{"epochs", t.epochs},
                  {"batch_size", t.batch_size},
                  {"optimizer", t.optimizer},
                  {"lr", t.lr},
                  {"weight_decay", t.weight_decay},
                  {"schedule", t.schedule},
                  {"warmup_steps", t.warmup_steps},
                  {"label_smoothing", t.label_smoothing},
                  {"clip_norm", t.clip_norm},
                  {"amp", t.amp},
                  {"crop_padding", t.crop_padding},
                  {"flip", t.flip}};
  if (t.optimizer == "sgd") json.update({{"momentum", t.momentum}, {"nesterov", t.nesterov}});
  if (t.schedule == "step") json.update({{"milestones", t.milestones}, {"gamma", t.gamma}});
  if (t.random_crop) json["random_crop"] = true;
  if (t.iterations > 0) {
    json.erase("epochs");
    json["iterations"] = t.iterations;
  }
  return json;
}

/// Only what this run's numbers depend on goes in, so that adding a cut, a seed or a treatment to a study leaves the
/// ids of the runs that it had. The source half enters through the id of its base.
std::string id_of(const RunSpec& run, const Study& study, const RunContext& context) {
  const bool own_source = run.target == "A" && !study.source_dataset.empty();
  SortedJson json{{"format", kIdFormat},
                  {"dataset", own_source ? study.source_dataset : study.dataset},
                  {"data", own_source ? context.source_data_hash : context.data_hash},
                  {"device", context.device_kind},
                  {"threads", context.threads},
                  {"model", study.model},
                  {"classes", target_classes(run)},
                  {"image_seed", image_seed(study, run.split)},
                  {"train_per_class", train_per_class(study, run.target)},
                  {"test_per_class", study.test_per_class},
                  {"training", training_json(training_of(study, run))},
                  {"treatment", name_of(run.treatment)},
                  {"cut", run.cut},
                  {"source", run.source},
                  {"target", run.target},
                  {"seed", run.seed}};
  if (carries_published(run, study)) {
    json["published_weights"] = context.weights_hash;
  } else if (copies_layers(run.treatment)) {
    json["base"] = run.depends_on;
  }
  if (run.cut > 0 && study.cuts_at != CutPlaces::stages) json["cuts_at"] = name_of(study.cuts_at);
  if (freezes(run.treatment)) json["batch_norm_policy"] = name_of(run.bn_policy);
  if (run.fine_tuning != FineTuning::plain) {
    json["fine_tuning"] =
        fmt::format("{}, {}", name_of(run.fine_tuning), text_of(run.fine_tuning, study.fine_tuning_settings));
  }
  return sha256_hex(json.dump()).substr(0, kIdDigits);
}

/// Collects runs; bases are made when first asked for and kept in front.
class Expansion {
 public:
  Expansion(const Study& study, const RunContext& context) : study_(study), context_(context) {
    targets_ = study.both_directions ? std::vector<std::string>{"A", "B"} : std::vector<std::string>{"B"};
  }

  void add(const Split& split, std::uint64_t seed) {
    for (const std::string& target : targets_) {
      if (has(Treatment::base)) base(split, target, seed);
    }
    const std::vector<Method> methods = methods_of(study_);
    for (const std::string& target : targets_) {
      if (has(Treatment::scratch)) add_arm({Treatment::scratch}, 0, split, target, seed);
    }
    for (const int cut : study_.cuts) {
      for (const Method& method : methods) {
        if (!has_cuts(method.treatment)) continue;
        for (const std::string& target : targets_) add_arm(method, cut, split, target, seed);
      }
    }
  }

  std::vector<RunSpec> finish() {
    std::vector<RunSpec> runs = std::move(bases_);
    runs.insert(runs.end(), arms_.begin(), arms_.end());
    return runs;
  }

 private:
  bool has(Treatment treatment) const {
    return std::find(study_.treatments.begin(), study_.treatments.end(), treatment) != study_.treatments.end();
  }

  std::string base(const Split& split, const std::string& half, std::uint64_t seed) {
    const auto elsewhere = context_.source_bases.find(seed);
    if (half == "A" && elsewhere != context_.source_bases.end()) return elsewhere->second;
    std::string& id = base_ids_[{split.name, half, seed}];
    if (id.empty()) {
      RunSpec run{.split = split, .source = half, .target = half, .seed = seed};
      run.id = id = id_of(run, study_, context_);
      bases_.push_back(std::move(run));
    }
    return id;
  }

  void add_arm(const Method& method, int cut, const Split& split, const std::string& target, std::uint64_t seed) {
    const Treatment treatment = method.treatment;
    RunSpec run{.treatment = treatment,
                .fine_tuning = method.fine_tuning,
                .bn_policy = method.bn_policy,
                .cut = cut,
                .split = split,
                .source = target,
                .target = target,
                .seed = seed};
    if (copies_from_other_half(treatment)) run.source = other_half(target);
    if (copies_layers(treatment) && !carries_published(run, study_)) run.depends_on = base(split, run.source, seed);
    run.id = id_of(run, study_, context_);
    arms_.push_back(std::move(run));
  }

  const Study& study_;
  const RunContext& context_;
  std::vector<std::string> targets_;
  std::map<std::tuple<std::string, std::string, std::uint64_t>, std::string> base_ids_;
  std::vector<RunSpec> bases_;
  std::vector<RunSpec> arms_;
};

}  // namespace

std::string base_role(const std::string& half) { return half == "A" ? "base-source" : "base-target"; }

std::string init_role(const RunSpec& run) { return has_cuts(run.treatment) ? "retrained" : base_role(run.target); }

const std::vector<std::int64_t>& target_classes(const RunSpec& run) { return half_of(run.split, run.target); }

TrainingSettings training_of(const Study& study, const RunSpec& run) {
  TrainingSettings training = study.training;
  if (run.treatment == Treatment::scratch) {
    (training.iterations > 0 ? training.iterations : training.epochs) = study.scratch_epochs;
  }
  if (run.target == "A" && study.source_epochs > 0) training.epochs = study.source_epochs;
  return training;
}

std::int64_t train_per_class(const Study& study, const std::string& half) {
  return half == "A" ? study.source_train_per_class.value_or(study.train_per_class) : study.train_per_class;
}

bool carries_published(const RunSpec& run, const Study& study) {
  return copies_layers(run.treatment) && run.source == "A" && !study.source_checkpoint.empty();
}

std::uint64_t image_seed(const Study& study, const Split& split) {
  const auto words = RandomStream{study.split_seed, stream_of("images:" + split.name)}.words(0, 0);
  return std::uint64_t{words[0]} << 32 | words[1];
}

Plan make_plan(const Study& study, const StudyData& data, int stage_count, const RunContext& context) {
  Plan plan{.study = study,
            .splits = make_splits(study, data.source.train->class_names(), data.target.train->class_names()),
            .runs = {}};
  check_cuts(study, stage_count);
  check_samples(study, data, plan.splits);
  Expansion expansion(study, context);
  for (const Split& split : plan.splits) {
    for (const std::uint64_t seed : study.seeds) expansion.add(split, seed);
  }
  plan.runs = expansion.finish();
  return plan;
}

}  // namespace graft
