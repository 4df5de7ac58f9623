#include "transfer/verification.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "engine/io/file.h"
#include "transfer/executor.h"
#include "transfer/folder_check.h"
#include "transfer/manifest.h"
#include "transfer/reference.h"
#include "transfer/report.h"
#include "transfer/run_files.h"
#include "transfer/runner.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

class StudyCheck {
 public:
  explicit StudyCheck(const VerificationOptions& options) : check_(options) {}

  Verification verify() {
    check_.compare_study();
    const std::vector<fs::path> records = record_files(folder());
    if (records.empty()) check_.fault("{}: is missing", (folder() / "results.jsonl").string());
    for (const fs::path& record : records) check_.compare_lines(record);
    if (!check_.sound()) return check_.found();  // what follows reads these files
    results_ = last_of_each(read_results(folder()));
    check_files();
    check_runs();
    check_report();
    return check_.found();
  }

 private:
  void check_files() {
    for (const RunResult& run : results_) {
      for (const auto& [name, hash] : run.files) check_.compare(run_folder(folder(), run.id) / name, hash);
      const auto weights = run.files.find("checkpoint.safetensors");
      const auto known = check_.manifest().weights.find(run.id);
      if (weights == run.files.end() || known == check_.manifest().weights.end()) continue;
      if (weights->second != known->second) {
        check_.fault("{}: has another hash of the weights of run {} than results.jsonl",
                     (folder() / "manifest.json").string(), run.id);
      }
    }
    if (check_.manifest().reference) check_.compare(reference_path(folder()), check_.manifest().reference->sha256);
    if (check_.manifest().subgroups) check_.compare(subgroups_path(folder()), check_.manifest().subgroups->sha256);
    check_.compare_source_weights();
  }

  /// Data, splits, ids and answers: what needs the data set.
  void check_runs() {
    check_.compare_data();
    if (!check_.sound()) return;
    const std::unique_ptr<Backend> backend = check_.same_backend();
    if (backend == nullptr) return;
    const PreparedStudy prepared = check_.prepare();
    check_splits(prepared);
    check_answers(prepared, *backend);
  }

  void check_splits(const PreparedStudy& prepared) {
    const auto splits = manifest_splits(prepared.plan, prepared.data.source.train->class_names(),
                                        prepared.data.target.train->class_names());
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const bool same = i < check_.manifest().splits.size() && splits[i].sha256 == check_.manifest().splits[i].sha256;
      if (!same) check_.fault("split {} is not the one that was recorded", splits[i].name);
    }
  }

  void check_answers(const PreparedStudy& prepared, Backend& backend) {
    RunEnvironment environment{
        .study = prepared.plan.study, .data = prepared.data, .folder = folder(), .binary = {}, .versions = {}};
    if (check_.manifest().subgroups) {
      environment.subgroups = kept_subgroups(prepared.plan, *prepared.data.target.test, folder());
      if (environment.subgroups.names != check_.manifest().subgroups->names) {
        check_.fault("{}: its subgroups are not those of the file", (folder() / "manifest.json").string());
      }
    }
    std::map<std::string, const RunSpec*> planned;
    for (const RunSpec& run : prepared.plan.runs) planned.emplace(run.id, &run);
    for (const RunResult& result : results_) {
      const auto run = planned.find(result.id);
      if (run == planned.end()) {
        check_.fault("run {}: study, data and device give no run of this id", result.id);
      } else if (check_.options().evaluate && result.status == "ok") {
        check_answers(*run->second, result, environment, backend);
      }
    }
  }

  void check_answers(const RunSpec& run, const RunResult& result, const RunEnvironment& environment, Backend& backend) {
    if (!fs::exists(checkpoint_path(folder(), run.id))) return;  // named already
    const RunResult again = test_again(run, environment, backend);
    ++check_.found().tested;
    const bool same_classes = result.by_class.empty() || again.by_class == result.by_class;
    const bool same_subgroups = result.by_subgroup.empty() || again.by_subgroup == result.by_subgroup;
    if (again.correct == result.correct && again.n_test == result.n_test && again.top1 == result.top1) {
      const std::string parts = same_classes ? "subgroups" : "classes";
      if (!same_classes || !same_subgroups) {
        check_.fault("run {}: its weights answer other {} rightly than results.jsonl says", run.id, parts);
      }
      return;
    }
    check_.fault("run {}: its weights answer {} of {} test images rightly, results.jsonl says {} of {}", run.id,
                 again.correct, again.n_test, result.correct, result.n_test);
  }

  void check_report() {
    if (!fs::exists(folder() / "report.html")) {
      check_.found().notes.emplace_back("there is no report to compare: graft study report writes it");
      return;
    }
    for (const auto& [name, text] : make_report(folder())) {
      const fs::path file = folder() / name;
      if (!fs::exists(file)) {
        check_.fault("{}: is missing", file.string());
      } else if (read_text(file) != text) {
        check_.fault("{}: is not what results.jsonl gives; graft study report writes it anew", file.string());
      }
    }
  }

  const fs::path& folder() const { return check_.folder(); }

  FolderCheck check_;
  std::vector<RunResult> results_;
};

}  // namespace

Verification verify_study(const VerificationOptions& options) { return StudyCheck(options).verify(); }

}  // namespace graft
