#include "transfer/runner_folder.h"

#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/atomic_file.h"
#include "engine/io/descriptor.h"
#include "engine/io/file.h"
#include "transfer/folder_error.h"
#include "transfer/run_files.h"
#include "transfer/search_record.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& folder, const std::string& why) {
  fail(ErrorKind::data, "{}: {}; give another folder with --output", folder.string(), why);
}

void expect_equal(const fs::path& folder, const std::string& what, const std::string& there, const std::string& here) {
  if (there != here) refuse(folder, fmt::format("its runs were made {} {}, now it is {}", what, there, here));
}

/// results.jsonl holds these results and is the only record, or becomes so; with `anew` it is written in any case.
void write_one_record(const fs::path& folder, const std::vector<RunResult>& results, bool anew) {
  const fs::path whole = folder / "results.jsonl";
  std::vector<fs::path> others = record_files(folder);
  std::erase(others, whole);
  if (others.empty() && !anew) return;
  std::string text;
  for (const RunResult& result : results) text += to_json_line(result) + '\n';
  write_text_atomically(whole, text);
  for (const fs::path& other : others) fs::remove(other);
}

}  // namespace

RunnerFolder::RunnerFolder(fs::path path) : path_(std::move(path)) {
  make_output_folder(path_);
  if (holds_search(path_)) refuse(path_, "it holds the search of a study, which graft study recommend goes on with");
}

std::string RunnerFolder::study_text() const {
  if (fs::exists(study_file())) return read_text(study_file());
  if (!record_files(path_).empty()) refuse(path_, "it holds results but no study.yaml to tell what they are of");
  return "";
}

void RunnerFolder::check_same(const Manifest& present) const {
  if (!fs::exists(path_ / "manifest.json")) return;
  const Manifest before = read_manifest(path_);
  expect_equal(path_, "from the study", before.study, present.study);
  expect_equal(path_, "on", before.device_kind, present.device_kind);
  expect_equal(path_, "with --threads", fmt::format("{}", before.threads), fmt::format("{}", present.threads));
  if (const auto now = present.weights.find("source"), then = before.weights.find("source");
      now != present.weights.end() && then != before.weights.end()) {
    expect_equal(path_, "from source weights", then->second, now->second);
  }
  if (before.subgroups && present.subgroups) {
    expect_equal(path_, "with subgroups", before.subgroups->sha256, present.subgroups->sha256);
  }
  for (const auto& [part, hash] : present.data) {
    const auto there = before.data.find(part);
    expect_equal(path_, "from " + part + " data", there == before.data.end() ? "unknown" : there->second, hash);
  }
}

std::vector<RunResult> results_to_keep(const std::vector<RunResult>& all, const Plan& plan, const fs::path& folder) {
  std::map<std::string, const RunResult*> done;  // the latest line of each run
  for (const RunResult& result : all) {
    done.erase(result.id);
    if (result.status == "ok") done[result.id] = &result;
  }
  for (const RunSpec& run : plan.runs) {
    const bool waits = !run.depends_on.empty() && !done.contains(run.id);
    if (waits && !fs::exists(checkpoint_path(folder, run.depends_on))) done.erase(run.depends_on);
  }
  std::vector<RunResult> kept;
  for (const RunResult& result : all) {
    const auto entry = done.find(result.id);
    if (entry != done.end() && entry->second == &result) kept.push_back(result);
  }
  return kept;
}

std::vector<RunResult> RunnerFolder::read_planned(const Plan& plan) const {
  std::vector<RunResult> all = read_results(path_);
  std::set<std::string> planned;
  for (const RunSpec& run : plan.runs) planned.insert(run.id);
  for (const RunResult& result : all) {
    if (!planned.contains(result.id)) {
      refuse(path_, fmt::format("results.jsonl holds run {}, which is not in this study", result.id));
    }
  }
  return all;
}

std::vector<RunResult> RunnerFolder::results(const Plan& plan) const {
  return results_to_keep(read_planned(plan), plan, path_);
}

std::vector<RunResult> RunnerFolder::take_up(const Plan& plan) {
  remove_temporaries(path_);
  std::error_code ignored;
  fs::remove_all(path_ / "features", ignored);
  if (fs::exists(results_file()) && LineAppender(results_file()).repaired()) {
    log_warning("{}: cut off an unfinished last line", results_file().string());
  }
  const std::vector<RunResult> all = read_planned(plan);
  std::vector<RunResult> kept = results_to_keep(all, plan, path_);
  write_one_record(path_, kept, kept.size() != all.size());
  return kept;
}

void merge_records(const fs::path& folder) { write_one_record(folder, last_of_each(read_results(folder)), false); }

void RunnerFolder::check_binary(const std::vector<RunResult>& results, const std::string& binary) const {
  for (const RunResult& result : results) {
    if (result.binary == binary) continue;
    fail(ErrorKind::data,
         "{}: {} was made by another binary ({:.12}, this is {:.12}); add --accept-binary to mix them, or give another "
         "--output",
         results_file().string(), result.id, result.binary, binary);
  }
}

}  // namespace graft
