#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "transfer/feature_cache.h"
#include "transfer/plan.h"
#include "transfer/record.h"
#include "transfer/subgroups.h"

namespace graft {

/// What all runs of a study share. Nothing here changes while they run but the cache, which is thread-safe.
struct RunEnvironment {
  Study study;
  StudyData data;
  Subgroups subgroups{};             ///< of the test images
  std::filesystem::path folder;      ///< the study's
  FeatureCache* features = nullptr;  ///< nullptr: prefixes are recomputed
  std::string binary;                ///< SHA-256 of the program
  std::map<std::string, std::string> versions;
  const std::atomic<bool>* stop = nullptr;  ///< true: end at the next step
};

/// The images of one half.
struct HalfData {
  DatasetPtr train;
  DatasetPtr test;
  std::vector<std::int64_t> test_items{};  ///< of the whole test set
};
HalfData open_half(const Study& study, const StudyData& data, const RunSpec& run);

/// What a backbone for this study's data is built for.
BackboneOptions backbone_options(const Dataset& data, std::int64_t classes);

/// A network of the study, cut where the study cuts, with undefined values.
std::shared_ptr<Backbone> make_network(const Study& study, const Dataset& data, std::int64_t classes, Backend& backend);
/// The network of a run on `data`, its half's images: make_network, or a linear probe of it.
std::shared_ptr<Backbone> make_run_network(const RunSpec& run, const Study& study, const Dataset& data,
                                           Backend& backend);

std::filesystem::path run_folder(const std::filesystem::path& study_folder, const std::string& run_id);
/// runs/<id>/checkpoint.safetensors: the weights after the last epoch, in the public names, shapes and layout.
std::filesystem::path checkpoint_path(const std::filesystem::path& study_folder, const std::string& run_id);

/// Gives every parameter and buffer its first value: copied stages from the base's checkpoint or the study's published
/// weights (source_weights_path), everything else by (seed, role, name).
void initialize_run(Backbone& network, const RunSpec& run, const std::filesystem::path& study_folder);
/// Leading stages of the run's network that stay as they are: the cut where the treatment freezes, with the pooling of
/// a linear probe, else 0.
int frozen_stages(const RunSpec& run);
/// What must not change in `count` frozen stages: parameters and, but under policy update, buffers.
std::vector<NamedVariable> frozen_state(const Backbone& network, int count, BatchNormPolicy policy);

/// Trains and tests one network, writes its log and checkpoint and returns its record. `steps_done` counts training
/// steps as they are made. Throws Error(interrupted) soon after `stop`, FolderError if the folder cannot be written,
/// and Error for whatever is wrong with this run alone.
RunResult execute_run(const RunSpec& run, const RunEnvironment& environment, Backend& backend,
                      std::atomic<std::int64_t>& steps_done);

/// Tests the checkpoint that a run has left once more: a record with its answers (top1, correct, n_test). Writes
/// nothing. Throws Error(data) if the checkpoint cannot be read.
RunResult test_again(const RunSpec& run, const RunEnvironment& environment, Backend& backend);

/// A record of this run without results: status "failed".
RunResult failed_result(const RunSpec& run, const RunEnvironment& environment, const std::string& error);

/// Training steps of one epoch: whole batches, the rest is dropped. Throws Error(data) if there is none.
std::int64_t steps_per_epoch(const Dataset& train, const TrainingSettings& settings);

}  // namespace graft
