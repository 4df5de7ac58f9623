#include "transfer/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/executor.h"
#include "transfer/manifest.h"
#include "transfer/reference.h"
#include "transfer/report.h"
#include "transfer/run_files.h"
#include "transfer/runner.h"
#include "transfer/source_weights.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

class Verifier {
 public:
  explicit Verifier(const VerificationOptions& options)
      : options_(options), folder_(options.folder), manifest_(read_manifest(options.folder)) {}

  Verification verify() {
    compare(folder_ / "study.yaml", manifest_.study_sha256);
    check_lines();
    if (!found_.faults.empty()) return found_;  // what follows reads these files
    results_ = last_of_each(read_results(folder_));
    check_files();
    check_runs();
    check_report();
    return found_;
  }

 private:
  template <class... Args>
  void fault(fmt::format_string<Args...> text, Args&&... args) {
    found_.faults.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void compare(const fs::path& file, const std::string& hash) {
    ++found_.files;
    if (!fs::exists(file)) return fault("{}: is missing", file.string());
    if (sha256_file(file) != hash) fault("{}: is not the file that was recorded", file.string());
  }

  void check_lines() {
    const std::vector<fs::path> files = record_files(folder_);
    if (files.empty()) fault("{}: is missing", (folder_ / "results.jsonl").string());
    for (const fs::path& file : files) {
      std::istringstream lines(read_text(file));
      std::int64_t number = 0;
      for (std::string line; std::getline(lines, line); ++found_.lines) {
        const std::string problem = fault_of_line(line);
        ++number;
        if (!problem.empty()) fault("{}:{}: the line {}", file.string(), number, problem);
      }
    }
  }

  void check_files() {
    for (const RunResult& run : results_) {
      for (const auto& [name, hash] : run.files) compare(run_folder(folder_, run.id) / name, hash);
      const auto weights = run.files.find("checkpoint.safetensors");
      const auto known = manifest_.weights.find(run.id);
      if (weights == run.files.end() || known == manifest_.weights.end()) continue;
      if (weights->second != known->second) {
        fault("{}: has another hash of the weights of run {} than results.jsonl", (folder_ / "manifest.json").string(),
              run.id);
      }
    }
    if (manifest_.reference) compare(reference_path(folder_), manifest_.reference->sha256);
    if (manifest_.subgroups) compare(subgroups_path(folder_), manifest_.subgroups->sha256);
    const auto source = manifest_.weights.find("source.safetensors");
    if (source != manifest_.weights.end()) compare(source_weights_path(folder_), source->second);
  }

  /// Data, splits, ids and answers: what needs the data set.
  void check_runs() {
    const fs::path file = folder_ / "study.yaml";
    const Study study = read_study(file);
    const StudyData data = open_study_data(study, options_.data);
    const std::map<std::string, std::string> now = data_hashes(study, data);
    for (const auto& [part, hash] : manifest_.data) {
      const auto here = now.find(part);
      if (here == now.end() || here->second != hash) {
        fault("{}: its {} images are not those that were recorded",
              part.starts_with("source") ? study.source_dataset : study.dataset, part);
      }
    }
    if (!found_.faults.empty()) return;
    const std::unique_ptr<Backend> backend = backend_registry().make(options_.device, options_.backend);
    if (backend->device_kind() != manifest_.device_kind || options_.backend.threads != manifest_.threads) {
      found_.notes.push_back(
          fmt::format("runs were made on {} with {} threads each, this is {} with {}: their ids and "
                      "answers were not computed again",
                      manifest_.device_kind, manifest_.threads, backend->device_kind(), options_.backend.threads));
      return;
    }
    const PreparedStudy prepared = prepare_study({.study_text = read_text(file),
                                                  .study_file = file.string(),
                                                  .folder = folder_,
                                                  .data = options_.data,
                                                  .device = options_.device,
                                                  .backend = options_.backend});
    check_splits(prepared);
    check_answers(prepared, *backend);
  }

  void check_splits(const PreparedStudy& prepared) {
    const auto splits = manifest_splits(prepared.plan, prepared.data.source.train->class_names(),
                                        prepared.data.target.train->class_names());
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const bool same = i < manifest_.splits.size() && splits[i].sha256 == manifest_.splits[i].sha256;
      if (!same) fault("split {} is not the one that was recorded", splits[i].name);
    }
  }

  void check_answers(const PreparedStudy& prepared, Backend& backend) {
    RunEnvironment environment{
        .study = prepared.plan.study, .data = prepared.data, .folder = folder_, .binary = {}, .versions = {}};
    if (manifest_.subgroups) {
      environment.subgroups = kept_subgroups(prepared.plan, *prepared.data.target.test, folder_);
      if (environment.subgroups.names != manifest_.subgroups->names) {
        fault("{}: its subgroups are not those of the file", (folder_ / "manifest.json").string());
      }
    }
    std::map<std::string, const RunSpec*> planned;
    for (const RunSpec& run : prepared.plan.runs) planned.emplace(run.id, &run);
    for (const RunResult& result : results_) {
      const auto run = planned.find(result.id);
      if (run == planned.end()) {
        fault("run {}: study, data and device give no run of this id", result.id);
      } else if (options_.evaluate && result.status == "ok") {
        check_answers(*run->second, result, environment, backend);
      }
    }
  }

  void check_answers(const RunSpec& run, const RunResult& result, const RunEnvironment& environment, Backend& backend) {
    if (!fs::exists(checkpoint_path(folder_, run.id))) return;  // named already
    const RunResult again = test_again(run, environment, backend);
    ++found_.tested;
    const bool same_classes = result.by_class.empty() || again.by_class == result.by_class;
    const bool same_subgroups = result.by_subgroup.empty() || again.by_subgroup == result.by_subgroup;
    if (again.correct == result.correct && again.n_test == result.n_test && again.top1 == result.top1) {
      const std::string parts = same_classes ? "subgroups" : "classes";
      if (!same_classes || !same_subgroups) {
        fault("run {}: its weights answer other {} rightly than results.jsonl says", run.id, parts);
      }
      return;
    }
    fault("run {}: its weights answer {} of {} test images rightly, results.jsonl says {} of {}", run.id, again.correct,
          again.n_test, result.correct, result.n_test);
  }

  void check_report() {
    if (!fs::exists(folder_ / "report.html")) {
      found_.notes.emplace_back("there is no report to compare: graft study report writes it");
      return;
    }
    for (const auto& [name, text] : make_report(folder_)) {
      const fs::path file = folder_ / name;
      if (!fs::exists(file)) {
        fault("{}: is missing", file.string());
      } else if (read_text(file) != text) {
        fault("{}: is not what results.jsonl gives; graft study report writes it anew", file.string());
      }
    }
  }

  const VerificationOptions& options_;
  fs::path folder_;
  Manifest manifest_;
  std::vector<RunResult> results_;
  Verification found_;
};

}  // namespace

Verification verify_study(const VerificationOptions& options) { return Verifier(options).verify(); }

}  // namespace graft
