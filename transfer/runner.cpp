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
#include "transfer/half_data.h"
#include "transfer/launch_rank.h"
#include "transfer/manifest.h"
#include "transfer/progress.h"
#include "transfer/reference.h"
#include "transfer/run_files.h"
#include "transfer/runner_folder.h"
#include "transfer/runner_pool.h"
#include "transfer/runner_workers.h"
#include "transfer/source_weights.h"
#include "transfer/study_manifest.h"
#include "transfer/study_process.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

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

/// The study names a table of published runs, and its folder holds none yet.
bool lacks_reference(const Study& study, const fs::path& folder) {
  return study.reference && !fs::exists(reference_path(folder));
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

/// Trains what is left, until all runs have ended here or elsewhere, or it was stopped.
void train(const RunnerOptions& options, const PreparedStudy& prepared, const Subgroups& subgroups,
           const RunnerFolder& folder, StudyProcess& process, const std::vector<RunResult>& before) {
  const Plan& plan = prepared.plan;
  FeatureCache cache(folder.path() / "features" / process.name(), plan.study.feature_cache_mib);
  const RunEnvironment environment{.study = plan.study,
                                   .data = prepared.data,
                                   .subgroups = subgroups,
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
  RunnerWorkers workers({.device = options.device, .backend = options.backend, .stop = options.stop}, pool, progress,
                        {.environment_of =
                             [&](const RunSpec& run) {
                               RunEnvironment own = environment;
                               own.stop = &process.stop_flag(run.id);
                               return own;
                             },
                         .record = [&](const RunSpec&, const RunResult& result) { return process.record(result); },
                         .holds = [&](const RunSpec& run) { return process.holds(run.id); },
                         .stop_all = [&] { process.stop_all(); }});
  const auto left = static_cast<std::int64_t>(plan.runs.size()) - already;
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
  if (lacks_reference(plan.study, options.folder)) check_reference(*plan.study.reference, options.study_file);
  RunnerFolder folder(options.folder);
  const Subgroups subgroups = find_subgroups(plan, *prepared.data.target.test, options.study_file, options.folder);
  StudyProcess process(folder.path(), {.label = options.process, .silence = options.silence, .stop = options.stop});
  Manifest description = describe_study(options, prepared);
  description.subgroups = manifest_entry(subgroups);
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
    writing_to_folder([&] { keep_subgroups(subgroups, folder.path()); });
    Manifest manifest = begin_manifest(folder.path(), options, description);
    import_source(options, prepared, folder.path(), manifest);
  }
  if (lacks_reference(plan.study, folder.path())) {
    keep_reference(*plan.study.reference, options.study_file, folder.path());
  }
  process.begin_work();
  if (!process.first()) log_info("graft: {} joins others that train this study", process.name());
  if (!all_there) {
    for (const RunResult& result : before) options.backend.choices.insert(result.choices.begin(), result.choices.end());
    train(options, prepared, subgroups, folder, process, before);
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
