#include "transfer/runner.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/executor.h"
#include "transfer/folder_error.h"
#include "transfer/manifest.h"
#include "transfer/progress.h"
#include "transfer/runner_folder.h"
#include "transfer/runner_pool.h"
#include "transfer/source_weights.h"
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

RunEnd end_of(const RunResult& result) { return result.status == "ok" ? RunEnd::ok : RunEnd::failed; }

/// The workers of one study: threads that take runs from a pool, each with a backend of its own.
class Workers {
 public:
  Workers(const RunnerOptions& options, const RunEnvironment& environment, RunnerPool& pool, Progress& progress,
          std::vector<RunResult>& results)
      : options_(options),
        environment_(environment),
        pool_(pool),
        progress_(progress),
        results_(results),
        record_(environment.folder / "results.jsonl") {}

  /// Runs until the pool is empty or stopped. `halt` is what the environment's runs look at.
  void run(int count, std::atomic<bool>& halt) {
    active_ = count;
    std::vector<std::jthread> threads;
    threads.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    std::unique_lock lock(mutex_);
    while (active_ > 0) {
      ended_.wait_for(lock, std::chrono::milliseconds(100));
      const bool asked = options_.stop != nullptr && options_.stop->load();
      if (asked || pool_.error()) {
        halt = true;
        pool_.stop();
      }
      progress_.refresh();
    }
  }

 private:
  /// All work on a backend, its making included, is done by the one thread that owns it.
  void work() noexcept {
    try {
      const std::unique_ptr<Backend> backend = backend_registry().make(options_.device, options_.backend);
      while (const RunSpec* run = pool_.take()) {
        if (pool_.base_failed(*run)) {
          finish(*run, failed_result(*run, environment_, fmt::format("base {} failed", run->depends_on)));
          continue;
        }
        progress_.run_started();
        if (!execute(*run, *backend)) break;
      }
    } catch (...) {
      pool_.stop_for(std::current_exception());
    }
    const std::scoped_lock lock(mutex_);
    --active_;
    ended_.notify_all();
  }

  /// False if it was interrupted. Lets FolderError and a device's failure pass: those end the study.
  bool execute(const RunSpec& run, Backend& backend) {
    try {
      RunResult result = execute_run(run, environment_, backend, progress_.steps());
      result.choices = backend.choices();
      finish(run, result);
    } catch (const FolderError&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) return false;
      if (error.kind() == ErrorKind::device) throw;
      finish(run, failed_result(run, environment_, error.what()));
    } catch (const std::exception& error) {
      finish(run, failed_result(run, environment_, error.what()));
    }
    return true;
  }

  void finish(const RunSpec& run, const RunResult& result) {
    record(run, result);
    pool_.finish(run, end_of(result));
  }

  void record(const RunSpec& run, const RunResult& result) {
    const std::scoped_lock lock(mutex_);
    writing_to_folder([&] { record_.append(to_json_line(result)); });
    results_.push_back(result);
    const std::string what =
        fmt::format("{} cut {} on {} of {} seed {}", label_of(result), run.cut, run.target, run.split.name, run.seed);
    if (result.status == "ok") {
      progress_.run_ended(fmt::format("{}: top-1 {:.4f}, {:.1f} s", what, result.top1, result.seconds), false);
    } else {
      progress_.run_ended(fmt::format("{}: failed: {}", what, result.error), true);
    }
  }

  const RunnerOptions& options_;
  const RunEnvironment& environment_;
  RunnerPool& pool_;
  Progress& progress_;
  std::vector<RunResult>& results_;
  LineAppender record_;
  std::mutex mutex_;  ///< of record_, results_ and active_
  std::condition_variable ended_;
  int active_ = 0;
};

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
void end_manifest(const RunnerFolder& folder, Manifest manifest, const std::vector<RunResult>& results) {
  bool changed = false;
  for (const RunResult& result : results) {
    const fs::path weights = checkpoint_path(folder.path(), result.id);
    if (result.status != "ok" || manifest.weights.contains(result.id) || !fs::exists(weights)) continue;
    manifest.weights[result.id] = sha256_file(weights);
    changed = true;
  }
  if (changed) write_manifest(folder.path(), manifest);
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

}  // namespace

int default_jobs(int threads) {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / std::max(1, threads));
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
  const Subgroups subgroups = find_subgroups(plan, *prepared.data.target.test, options.study_file, options.folder);
  Manifest description = describe(options, prepared);
  description.subgroups = manifest_entry(subgroups);
  check_same_study(folder, plan.study);
  folder.check_same(description);
  std::vector<RunResult> results = folder.take_up(plan);
  if (!options.accept_binary) folder.check_binary(results, options.binary);
  // Made in any case: it removes what a killed process left.
  FeatureCache cache(folder.path() / "features", plan.study.feature_cache_mib);
  if (results.size() == plan.runs.size()) {
    log_info("graft: all {} runs are there already", results.size());
    end_manifest(folder, read_manifest(folder.path()), results);
    return outcome_of(plan, std::move(results));
  }
  writing_to_folder([&] { keep_subgroups(subgroups, folder.path()); });
  Manifest manifest = begin_manifest(folder, options, description);
  import_source(plan.study, options, prepared.data, folder.path(), manifest);

  std::atomic<bool> halt = false;
  const RunEnvironment environment{.study = plan.study,
                                   .data = prepared.data,
                                   .subgroups = subgroups,
                                   .folder = folder.path(),
                                   .features = options.feature_cache ? &cache : nullptr,
                                   .binary = options.binary,
                                   .versions = options.versions,
                                   .stop = &halt};
  for (const RunResult& result : results) {
    options.backend.choices.insert(result.choices.begin(), result.choices.end());
  }
  const auto already = static_cast<std::int64_t>(results.size());
  RunnerPool pool(plan.runs, ends_of(results));
  {
    const HalfData half = open_half(plan.study, prepared.data, plan.runs.front());
    Progress progress(static_cast<std::int64_t>(plan.runs.size()), already,
                      total_steps(plan.study.training, steps_per_epoch(*half.train, plan.study.training)));
    const auto left = static_cast<std::int64_t>(plan.runs.size()) - already;
    Workers workers(options, environment, pool, progress, results);
    workers.run(static_cast<int>(std::min<std::int64_t>(options.jobs, left)), halt);
  }
  if (pool.error()) rethrow(pool.error(), results.size(), plan.runs.size());
  end_manifest(folder, manifest, results);
  RunnerOutcome outcome = outcome_of(plan, std::move(results));
  outcome.interrupted =
      options.stop != nullptr && options.stop->load() && outcome.done + outcome.failed < outcome.planned;
  return outcome;
}

}  // namespace graft
