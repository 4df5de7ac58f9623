#include "transfer/search_verification.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <vector>

#include "engine/base/error.h"
#include "transfer/executor.h"
#include "transfer/folder_check.h"
#include "transfer/run_files.h"
#include "transfer/search_plan.h"
#include "transfer/search_record.h"
#include "transfer/successive_halving.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

class SearchCheck {
 public:
  explicit SearchCheck(const VerificationOptions& options) : check_(options) {}

  Verification verify() {
    check_.compare_study();
    check_.compare_lines(record());
    if (!check_.sound()) return check_.found();  // what follows reads these files
    search_ = read_search(check_.folder());
    for (const auto& [id, evaluation] : search_.evaluations) {
      if (evaluation.ok()) check_.compare(checkpoint_path(check_.folder(), id), evaluation.weights);
    }
    check_.compare_source_weights();
    check_.compare_data();
    if (!check_.sound()) return check_.found();
    if (const std::unique_ptr<Backend> backend = check_.same_backend()) check_networks(*backend);
    return check_.found();
  }

 private:
  fs::path record() const { return check_.folder() / "search.jsonl"; }

  const std::string& setting(const std::string& name) const {
    const auto found = search_.settings.find(name);
    if (found == search_.settings.end()) {
      fail(ErrorKind::data, "{}:1: does not say what {} was; a search by this program does", record().string(), name);
    }
    return found->second;
  }
  template <class Number>
  Number number(const std::string& name) const {
    const std::string& text = setting(name);
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size()) return value;
    fail(ErrorKind::data, "{}:1: {} is '{}', no number", record().string(), name, text);
  }

  /// Each phase as the search planned it, with every arm: an id hangs on no other arm.
  void check_networks(Backend& backend) {
    const PreparedStudy prepared = check_.prepare();
    const SearchPlans plans(prepared, check_.options().backend.threads, setting("split"),
                            {.validation = number<double>("--validation"), .held_out = number<double>("--held-out")});
    const auto least = number<std::int64_t>("--min-epochs");
    const auto eta = number<int>("--eta");
    std::vector<std::uint64_t> seeds = prepared.plan.study.seeds;
    seeds.push_back(plans.seed());
    int rungs = 0;
    for (const auto& [id, evaluation] : search_.evaluations) {
      if (evaluation.stage == SearchStage::rung) rungs = std::max(rungs, evaluation.rung + 1);
    }
    check_phase(plans.source(seeds), SearchStage::source, 0, backend);
    for (int rung = 0; rung < rungs; ++rung) {
      const std::int64_t length = rung_length(least, eta, rung, plans.full_length());
      check_phase(plans.rung(plans.arms(), length), SearchStage::rung, rung, backend);
    }
    check_phase(plans.decision(plans.arms()), SearchStage::decision, 0, backend);
  }

  void check_phase(const SearchPhase& phase, SearchStage stage, int rung, Backend& backend) {
    std::map<std::string, const RunSpec*> planned;
    for (const RunSpec& run : phase.runs) planned.emplace(run.id, &run);
    const RunEnvironment environment{
        .study = phase.study, .data = phase.data, .folder = check_.folder(), .binary = {}, .versions = {}};
    for (const auto& [id, evaluation] : search_.evaluations) {
      if (evaluation.stage != stage || (stage == SearchStage::rung && evaluation.rung != rung)) continue;
      const auto run = planned.find(id);
      if (run == planned.end()) {
        check_.fault("run {}: study, data, device and settings give no run of this id", id);
      } else if (check_.options().evaluate && evaluation.ok()) {
        check_answers(*run->second, evaluation, environment, backend);
      }
    }
  }

  void check_answers(const RunSpec& run, const Evaluation& evaluation, const RunEnvironment& environment,
                     Backend& backend) {
    const RunResult again = test_again(run, environment, backend);
    ++check_.found().tested;
    if (again.correct == evaluation.correct && again.n_test == evaluation.n) return;
    check_.fault("run {}: its weights answer {} of {} images rightly, search.jsonl says {} of {}", run.id,
                 again.correct, again.n_test, evaluation.correct, evaluation.n);
  }

  FolderCheck check_;
  SearchLines search_;
};

}  // namespace

Verification verify_search(const VerificationOptions& options) { return SearchCheck(options).verify(); }

}  // namespace graft
