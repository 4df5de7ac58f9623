#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "transfer/splits.h"
#include "transfer/study.h"
#include "transfer/study_data.h"

namespace graft {

/// One network to be trained.
struct RunSpec {
  std::string id{};  ///< first 16 hex digits of the hash of its resolved settings, data, device kind and thread count
  Treatment treatment = Treatment::base;
  FineTuning fine_tuning = FineTuning::plain;
  BatchNormPolicy bn_policy = BatchNormPolicy::eval;
  int cut = 0;  ///< stages carried over; 0 for base
  Split split{};
  std::string source{};  ///< half whose layers are carried over, "A" or "B"; for base and random the target itself
  std::string target{};  ///< half trained and tested on
  std::uint64_t seed = 0;
  std::string depends_on{};  ///< id of the base run whose layers are copied; "" where none are, or published weights
};

/// What a run's bits depend on beside the study: part of each id.
struct RunContext {
  std::string device_kind;
  int threads = 1;
  std::string data_hash{};         ///< hash_of the target's data set
  std::string source_data_hash{};  ///< of the source's where it has its own; "" where not
  std::string weights_hash{};      ///< SHA-256 of the source's published weights; "" without
  /// Ids of base networks of half A that another plan trains, by seed: they are copied from, and not planned.
  std::map<std::uint64_t, std::string> source_bases{};
};

/// A study resolved against its data set: bases first, each base once for (split, half, seed).
struct Plan {
  Study study;
  std::vector<Split> splits;
  std::vector<RunSpec> runs;
};

/// Role of the initial weights of a base network: "base-source" for half "A", "base-target" for half "B".
std::string base_role(const std::string& half);
/// Role of the initial weights of a run outside its copied layers: base_role for base and scratch, else "retrained".
/// The frozen untrained stages of `random` have the role kRandomFrozenRole.
std::string init_role(const RunSpec& run);
inline constexpr const char* kRandomFrozenRole = "random-frozen";

/// Classes of the half that a run trains and tests on, in the order that gives their labels.
const std::vector<std::int64_t>& target_classes(const RunSpec& run);
/// The treatment of a run with its policies.
inline Method method_of(const RunSpec& run) { return {run.treatment, run.fine_tuning, run.bn_policy}; }
/// How a run is trained: the study's settings, but for the epochs of treatment scratch.
TrainingSettings training_of(const Study& study, const RunSpec& run);
/// Training images a class of networks trained on `half`; 0: all.
std::int64_t train_per_class(const Study& study, const std::string& half);
/// True iff the layers that a run carries over come from the study's published weights.
bool carries_published(const RunSpec& run, const Study& study);
/// The seed for choose_items: of the split, so that every run, arm and seed of a split sees the same images.
std::uint64_t image_seed(const Study& study, const Split& split);

/// Expands a study. Throws Error(data) naming the key for an unknown class, a cut beyond the model's stages, or a class
/// with too few images. Cuts apply to every treatment but base.
Plan make_plan(const Study& study, const StudyData& data, int stage_count, const RunContext& context);

}  // namespace graft
