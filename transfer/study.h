#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/nn/module.h"
#include "models/backbone.h"
#include "transfer/fine_tuning.h"
#include "transfer/image_preparation.h"

namespace graft {

/// The treatments of Yosinski et al. 2014. In "XnY" the first n stages come from the base network of half X and the
/// rest is initialised anew and trained on half Y; + means that the copied stages are fine-tuned, otherwise they are
/// frozen. random: the first n stages are untrained and frozen. scratch: base with a number of epochs of its own, so
/// that a base which has not converged is not read as a gain of transfer. probe: the first n stages of half A, frozen,
/// and nothing behind them but pooling and one linear classifier (models/linear_probe.h), trained on half B.
enum class Treatment { base, bnb, bnb_plus, anb, anb_plus, random, scratch, probe };

/// "base", "BnB", "BnB+", "AnB", "AnB+", "random", "scratch", "probe".
const char* name_of(Treatment treatment);
/// Throws Error(usage) naming them all.
Treatment treatment_from_name(const std::string& name);
/// True iff the first `cut` stages are frozen under it.
bool freezes(Treatment treatment);
bool copies_layers(Treatment treatment);
/// True iff what it copies comes from the other half.
bool copies_from_other_half(Treatment treatment);
/// True iff it copies stages and trains them on.
inline bool fine_tunes(Treatment treatment) { return copies_layers(treatment) && !freezes(treatment); }
/// True iff it is made at every cut of a study: all but base and scratch.
inline bool has_cuts(Treatment treatment) { return copies_layers(treatment) || treatment == Treatment::random; }

/// A treatment with how its carried stages are handled: a line of a study's figure.
struct Method {
  Treatment treatment = Treatment::base;
  FineTuning fine_tuning = FineTuning::plain;         ///< of treatments that fine-tune
  BatchNormPolicy bn_policy = BatchNormPolicy::eval;  ///< of stages while they are frozen
  bool operator==(const Method&) const = default;
};
/// "AnB+ lp-ft", "BnB bn-batch": the treatment and what is not the default.
std::string label_of(const Method& method);

/// How random halves treat groups of classes that are alike.
enum class GroupUse {
  none,        ///< classes are drawn whatever their group
  similar,     ///< each group is divided between the halves
  dissimilar,  ///< whole groups are drawn
};
/// "none", "similar", "dissimilar".
const char* name_of(GroupUse use);

/// Classes that are alike, such as a superclass.
struct ClassGroup {
  std::string name;
  std::vector<std::string> classes;
  bool operator==(const ClassGroup&) const = default;
};

/// Two halves of classes that a study file names.
struct NamedSplit {
  std::string name;
  std::vector<std::string> source;
  std::vector<std::string> target;  ///< empty: every class that is not in the source
  bool operator==(const NamedSplit&) const = default;
};

/// How many images a data set is known to have, for a plan made where it is not.
struct ExpectedImages {
  std::int64_t train = 0;
  std::int64_t test = 0;
};

/// A published table of runs that the report draws beside the study's own.
struct ReferenceTable {
  std::string file;                 ///< a CSV table, see transfer/run_table.h
  std::string source;               ///< who published it; the page names it so
  std::vector<std::string> splits;  ///< names of its splits that are shown; empty: those of the study's names, or all
};

struct TrainingSettings {
  std::int64_t epochs = 10;     ///< where iterations is 0
  std::int64_t iterations = 0;  ///< > 0: that many steps, whatever the number of images
  std::int64_t batch_size = 64;
  std::string optimizer = "sgd";  ///< "sgd" or "adamw"
  double lr = 0.05;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 5e-4;
  std::string schedule = "linear";  ///< constant, step, linear, cosine
  std::int64_t warmup_steps = 0;
  std::vector<std::int64_t> milestones{};  ///< for schedule step: epochs, or steps where iterations is above 0
  double gamma = 0.1;
  double label_smoothing = 0.0;
  double clip_norm = 0.0;    ///< 0: no clipping
  std::string amp = "none";  ///< "none" (f32) or "bf16"
  std::int64_t crop_padding = 0;
  bool flip = false;
  bool random_crop = false;  ///< the part that evaluation takes of the centre, from anywhere
};

/// A study file, resolved against nothing but itself.
struct Study {
  std::string name;
  std::string dataset;         ///< of the target, and of the source unless it has its own
  std::string license;         ///< of that data, as its publisher says; "": what dataset_entries() says
  std::string source_dataset;  ///< of the source where it is another; "" where not
  std::string model;
  std::vector<std::string> source_classes;  ///< by name, in the order of labels; empty: all, or random_halves
  std::vector<std::string> target_classes;
  std::vector<std::string> overlap;  ///< classes that are declared to be in both halves
  std::string source_checkpoint;     ///< file of published weights in place of base networks of the source; "": none
  std::string source_license;        ///< of those weights, as their publisher says
  std::vector<ClassGroup> groups;    ///< of which random halves are made
  GroupUse group_use = GroupUse::none;
  std::vector<NamedSplit> named_splits;  ///< in place of source_classes and target_classes; empty: one split, or random
  std::int64_t random_splits = 0;        ///< > 0: that many random halves, keyed by split_seed
  std::uint64_t split_seed = 0;
  bool both_directions = false;            ///< also B as source and A as target
  std::optional<ImagePreparation> images;  ///< as the model was published but for these; unset: images as they are
  std::int64_t train_per_class = 0;        ///< 0: all
  std::optional<std::int64_t> source_train_per_class{};  ///< of base networks of the source; unset: as many
  std::int64_t test_per_class = 0;                       ///< 0: all
  std::string subgroups{};                               ///< file of the test images' subgroups; "": none
  std::vector<Treatment> treatments;
  std::vector<int> cuts;
  CutPlaces cuts_at = CutPlaces::stages;  ///< what cuts counts
  std::vector<std::uint64_t> seeds;
  std::vector<BatchNormPolicy> bn_policies{BatchNormPolicy::eval};  ///< each of frozen treatments is made with each
  std::vector<FineTuning> fine_tuning{FineTuning::plain};           ///< and each that fine-tunes with each of these
  FineTuningSettings fine_tuning_settings;
  std::int64_t scratch_epochs = 0;  ///< of treatment scratch; iterations where training counts those
  std::int64_t source_epochs = 0;   ///< of base networks of the source; 0: as all others
  TrainingSettings training;
  std::optional<double> margin{};  ///< of top-1, a fraction: a smaller difference does not matter to whoever asks
  std::optional<ExpectedImages> expects{};
  std::optional<ReferenceTable> reference{};
  std::int64_t feature_cache_mib = 2048;  ///< budget of the feature cache on disk; 0: none
};

/// Reads and checks a study file. Strict: throws Error(data) "FILE:LINE: ..." for an unknown key (naming the nearest
/// known one), a missing one, a class in both halves, zero samples, an unknown treatment or a value out of range.
Study read_study(const std::filesystem::path& file);
Study parse_study(const std::string& yaml, const std::string& file_name);

/// The study's treatments, each with the policies that it is made with, in the study's order.
std::vector<Method> methods_of(const Study& study);

/// Steps of a training with so many steps an epoch.
std::int64_t total_steps(const TrainingSettings& training, std::int64_t steps_per_epoch);

/// Every setting that a result depends on, as the study file names it ("training.lr") and as text.
std::vector<std::pair<std::string, std::string>> settings_of(const Study& study);

/// The first setting in which two studies differ, as "training.lr: 0.05 here, 0.1 there", or "" if none does. What
/// cannot change a result or is no part of the question (feature_cache) is not compared.
std::string first_difference(const Study& here, const Study& there);

}  // namespace graft
