#include "transfer/runner.h"

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/executor.h"
#include "transfer/folder_error.h"
#include "transfer/launch_rank.h"
#include "transfer/manifest.h"
#include "transfer/progress.h"
#include "transfer/runner_folder.h"
#include "transfer/runner_pool.h"
#include "transfer/runner_workers.h"
#include "transfer/source_weights.h"
#include "transfer/study_process.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

Manifest describe(const RunnerOptions& options, const PreparedStudy& prepared) {
  Manifest manifest;
  manifest.study = prepared.plan.study.name;
  manifest.dataset = prepared.plan.study.dataset;
  manifest.data = data_hashes(prepared.plan.study, prepared.data);
  manifest.licenses = licenses_of(prepared.plan.study);
  manifest.stages = prepared.stages;
  manifest.splits = manifest_splits(prepared.plan, prepared.data.source.train->class_names(),
                                    prepared.data.target.train->class_names());
  manifest.seeds = prepared.plan.study.seeds;
  if (!prepared.weights_hash.empty()) manifest.weights["source"] = prepared.weights_hash;
  manifest.device_kind = prepared.device_kind;
  manifest.device_name = options.device_name;
  manifest.threads = options.backend.threads;
  manifest.jobs = options.jobs;
  return manifest;
}

/// Brings study.yaml and manifest.json up to date with this start.
Manifest begin_manifest(const RunnerFolder& folder, const RunnerOptions& options, Manifest manifest) {
  if (fs::exists(folder.path() / "manifest.json")) {
    const Manifest before = read_manifest(folder.path());
    manifest.weights.insert(before.weights.begin(), before.weights.end());
    manifest.binaries = before.binaries;
    manifest.reference = before.reference;
    manifest.command_lines = before.command_lines;
  }
  add_binary(manifest, {.sha256 = options.binary, .versions = options.versions});
  manifest.command_lines.push_back(options.command_line);
  if (folder.study_text().empty()) write_text_atomically(folder.study_file(), options.study_text);
  manifest.study_sha256 = sha256_file(folder.study_file());
  write_manifest(folder.path(), manifest);
  return manifest;
}

/// Adds the hashes of weights that are not in the manifest yet.
void end_manifest(const RunnerFolder& folder) {
  Manifest manifest = read_manifest(folder.path());
  bool changed = false;
  for (const RunResult& result : read_results(folder.path())) {
    const fs::path weights = checkpoint_path(folder.path(), result.id);
    if (result.status != "ok" || manifest.weights.contains(result.id) || !fs::exists(weights)) continue;
    manifest.weights[result.id] = sha256_file(weights);
    changed = true;
  }
  if (changed) write_manifest(folder.path(), manifest);
}

/// Of processes that train a study together none has recorded anything yet, perhaps.
void check_joins_same_binary(const fs::path& folder, const std::string& binary) {
  const Manifest present = read_manifest(folder);
  if (present.binaries.empty() || present.binaries.back().sha256 == binary) return;
  fail(ErrorKind::data,
       "{}: another binary is training this study ({:.12}, this is {:.12}); add --accept-binary to mix them, or give "
       "another --output",
       folder.string(), present.binaries.back().sha256, binary);
}

RunnerOutcome outcome_of(const Plan& plan, std::vector<RunResult> results) {
  RunnerOutcome outcome;
  outcome.study = plan.study;
  outcome.planned = static_cast<std::int64_t>(plan.runs.size());
  outcome.failed = std::count_if(results.begin(), results.end(), [](const auto& r) { return r.status != "ok"; });
  outcome.done = static_cast<std::int64_t>(results.size()) - outcome.failed;
  outcome.results = std::move(results);
  return outcome;
}

/// What ended the study early; what is done is kept.
[[noreturn]] void rethrow(const std::exception_ptr& error, std::size_t done, std::size_t planned) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& device) {
    if (device.kind() != ErrorKind::device) throw;
    fail(ErrorKind::device, "{}; {} of {} runs are done, the same command goes on", device.what(), done, planned);
  }
}

std::map<std::string, RunEnd> ends_of(const std::vector<RunResult>& results) {
  std::map<std::string, RunEnd> ends;
  for (const RunResult& result : results) ends[result.id] = end_of(result);
  return ends;
}

/// Comments and the cache's budget may differ; what is asked may not.
void check_same_study(const RunnerFolder& folder, const Study& here) {
  const std::string text = folder.study_text();
  if (text.empty()) return;
  const std::string difference = first_difference(here, parse_study(text, folder.study_file().string()));
  if (difference.empty()) return;
  fail(ErrorKind::data, "{}: holds the results of another study ({}); give another folder with --output",
       folder.path().string(), difference);
}

/// A network as large as those of the study, to look at.
std::shared_ptr<Backbone> example_network(const Study& study, const StudyData& data, Backend& backend) {
  const Dataset& train = *data.target.train;
  return make_network(study, train, static_cast<std::int64_t>(train.class_names().size()), backend);
}

/// Brings the source's published weights into the folder, where runs read them, and notes their hash.
void import_source(const Study& study, const RunnerOptions& options, const StudyData& data, const fs::path& folder,
                   Manifest& manifest) {
  if (study.source_checkpoint.empty()) return;
  const std::unique_ptr<Backend> backend = backend_registry().make(options.device, options.backend);
  const std::shared_ptr<Backbone> network = example_network(study, data, *backend);
  read_source_weights(study, *network);
  writing_to_folder([&] {
    keep_source_weights(*network, folder);
    manifest.weights["source.safetensors"] = sha256_file(source_weights_path(folder));
    write_manifest(folder, manifest);
  });
}

/// Trains what is left, until all runs have ended here or elsewhere, or it was stopped.
void train(const RunnerOptions& options, const PreparedStudy& prepared, const RunnerFolder& folder,
           StudyProcess& process, const std::vector<RunResult>& before) {
  const Plan& plan = prepared.plan;
  FeatureCache cache(folder.path() / "features" / process.name(), plan.study.feature_cache_mib);
  const RunEnvironment environment{.study = plan.study,
                                   .data = prepared.data,
                                   .folder = folder.path(),
                                   .features = options.feature_cache ? &cache : nullptr,
                                   .binary = options.binary,
                                   .versions = options.versions};
  const auto already = static_cast<std::int64_t>(before.size());
  const HalfData half = open_half(plan.study, prepared.data, plan.runs.front());
  Progress progress(static_cast<std::int64_t>(plan.runs.size()), already,
                    total_steps(plan.study.training, steps_per_epoch(*half.train, plan.study.training)));
  RunnerPool pool(plan.runs, ends_of(before), [&](const RunSpec& run) {
    const RunClaim claim = process.claim(run.id);
    if (claim == RunClaim::ok || claim == RunClaim::failed) progress.run_ended_elsewhere(claim == RunClaim::failed);
    return claim;
  });
  const auto left = static_cast<std::int64_t>(plan.runs.size()) - already;
  RunnerWorkers workers({.device = options.device, .backend = options.backend, .stop = options.stop}, environment, pool,
                        process, progress);
  workers.run(static_cast<int>(std::min<std::int64_t>(options.jobs, left)));
  if (pool.error()) rethrow(pool.error(), last_of_each(read_results(folder.path())).size(), plan.runs.size());
}

}  // namespace

int default_jobs(int threads) {
  const auto launch = launch_rank();
  return std::max(1, cores_of_rank(launch ? launch->ranks_on_machine : 1) / std::max(1, threads));
}

PreparedStudy prepare_study(const RunnerOptions& options) {
  return prepare_study(options, open_study_data(parse_study(options.study_text, options.study_file), options.data));
}

PreparedStudy prepare_study(const RunnerOptions& options, const StudyData& data) {
  PreparedStudy prepared;
  const Study study = parse_study(options.study_text, options.study_file);
  const std::unique_ptr<Backend> backend = backend_registry().make(options.device, options.backend);
  check_amp(study.training, *backend);
  prepared.device_kind = backend->device_kind();
  prepared.data = data;
  const std::shared_ptr<Backbone> network = example_network(study, prepared.data, *backend);
  for (const Backbone::Stage& stage : network->stages()) prepared.stages.push_back(stage.name);
  prepared.weights_hash = hash_source_weights(study);
  prepared.plan = make_plan(study, prepared.data, network->stage_count(),
                            {.device_kind = prepared.device_kind,
                             .threads = options.backend.threads,
                             .data_hash = hash_of(prepared.data.target),
                             .source_data_hash = study.source_dataset.empty() ? "" : hash_of(prepared.data.source),
                             .weights_hash = prepared.weights_hash});
  check_source_weights(study, *network);
  return prepared;
}

RunnerOutcome run_study(const RunnerOptions& given) {
  RunnerOptions options = given;
  if (options.jobs <= 0) options.jobs = default_jobs(options.backend.threads);
  const PreparedStudy prepared = prepare_study(options);
  const Plan& plan = prepared.plan;

  RunnerFolder folder(options.folder);
  StudyProcess process(folder.path(), {.label = options.process, .silence = options.silence, .stop = options.stop});
  const Manifest description = describe(options, prepared);
  check_same_study(folder, plan.study);
  folder.check_same(description);
  if (process.first()) process.clear_leases();
  const std::vector<RunResult> before = process.first() ? folder.take_up(plan) : folder.results(plan);
  if (!options.accept_binary) folder.check_binary(before, options.binary);
  const bool all_there = before.size() == plan.runs.size();
  if (all_there) {
    log_info("graft: all {} runs are there already", before.size());
  } else {
    if (!process.first() && !options.accept_binary) check_joins_same_binary(folder.path(), options.binary);
    Manifest manifest = begin_manifest(folder, options, description);
    import_source(plan.study, options, prepared.data, folder.path(), manifest);
  }
  process.begin_work();
  if (!process.first()) log_info("graft: {} joins others that train this study", process.name());
  if (!all_there) {
    for (const RunResult& result : before) options.backend.choices.insert(result.choices.begin(), result.choices.end());
    train(options, prepared, folder, process, before);
  }
  const bool last = process.end([&] {
    end_manifest(folder);
    std::error_code ignored;
    fs::remove_all(folder.path() / "features", ignored);
  });
  RunnerOutcome outcome = outcome_of(plan, last_of_each(read_results(folder.path())));
  outcome.last = last;
  outcome.interrupted =
      options.stop != nullptr && options.stop->load() && outcome.done + outcome.failed < outcome.planned;
  return outcome;
}

}  // namespace graft
