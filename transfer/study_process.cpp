#include "transfer/study_process.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/descriptor.h"
#include "transfer/folder_error.h"
#include "transfer/runner_folder.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using Kind = LeaseFolder::Answer::Kind;

constexpr const char* kFolder = "folder";  // no run's id: those are 16 hexadecimal digits
constexpr std::chrono::milliseconds kPause{20};

std::string machine_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

fs::path make_leases_folder(const fs::path& study_folder) {
  const fs::path leases = study_folder / "leases";
  std::error_code error;
  fs::create_directories(leases, error);
  if (!error) return leases;
  fail(ErrorKind::failure, "{}: cannot write to the folder: {}; give another one with --output", study_folder.string(),
       system_reason(error.value()));
}

}  // namespace

StudyProcess::StudyProcess(fs::path folder, const Options& options)
    : folder_(std::move(folder)),
      leases_folder_(make_leases_folder(folder_)),
      stop_(options.stop),
      heartbeat_(std::in_place, leases_folder_, options.label.empty() ? machine_name() : options.label,
                 options.silence),
      name_(heartbeat_->name()),
      watch_(leases_folder_, name_, options.silence),
      leases_(leases_folder_, name_, watch_, options.silence) {
  take_folder(true);
  first_ = !others(false);
  leases_.set_results(results_name());
  heartbeat_->on_beat([this] { look_at_leases(); });
}

StudyProcess::~StudyProcess() {
  try {
    if (heartbeat_) heartbeat_->on_beat({});
    for (const auto& [run, held] : held()) leases_.mark(held->lease, LeaseState::released);
    heartbeat_.reset();
    release_folder();
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): others find this process gone
  }
}

std::string StudyProcess::results_name() const { return first_ ? "results.jsonl" : kResultsPrefix + name_ + ".jsonl"; }

void StudyProcess::take_folder(bool may_stop) {
  constexpr int kTellAfter = 500;
  for (int tries = 0;; ++tries) {
    const LeaseFolder::Answer answer = leases_.take(kFolder);
    if (answer.kind == Kind::taken) {
      folder_lease_ = answer.lease;
      return;
    }
    if (may_stop && stop_ != nullptr && stop_->load()) throw Error("interrupted", ErrorKind::interrupted);
    if (tries == kTellAfter) {
      log_info("graft: waiting for {} to be done with opening or closing {}",
               answer.entry ? answer.entry->process : "another process", folder_.string());
    }
    std::this_thread::sleep_for(kPause);
  }
}

void StudyProcess::release_folder() {
  if (!folder_lease_) return;
  leases_.mark(*folder_lease_, LeaseState::released);
  folder_lease_.reset();
}

/// True if other processes train the study or, with `ending_too`, wait to be done with it.
bool StudyProcess::others(bool ending_too) {
  for (const ProcessWatch::Neighbour& other : watch_.look_at_all()) {
    if (other.sign != Sign::alive || !other.says) continue;
    if (other.says->state == ProcessState::working) return true;
    if (ending_too && other.says->state == ProcessState::ending) return true;
  }
  return false;
}

void StudyProcess::clear_leases() {
  leases_.clear(kFolder);
  for (const ProcessWatch::Neighbour& other : watch_.look_at_all()) {
    std::error_code ignored;
    // One that was only stopped finds its file gone, and with it all that it held.
    if (other.sign != Sign::alive) fs::remove(process_file(leases_folder_, other.name), ignored);
  }
}

void StudyProcess::begin_work() {
  heartbeat_->set_state(ProcessState::working);
  release_folder();
}

std::map<std::string, std::shared_ptr<StudyProcess::Held>> StudyProcess::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

/// With every sign of life: runs that others have taken over are ended here.
void StudyProcess::look_at_leases() noexcept {
  for (const auto& [run, held] : held()) {
    try {
      if (!leases_.holds(held->lease)) held->stop = true;
    } catch (const Error&) {  // NOLINT(bugprone-empty-catch): nothing is known until the next beat
    }
  }
}

/// Looks for a run in another process's record; what that holds is read once, and again when something is not in it.
std::optional<RunClaim> StudyProcess::find_recorded(const std::string& file, const std::string& run_id) {
  const auto known = elsewhere_.find(run_id);
  if (known != elsewhere_.end()) return known->second;
  for (const RunResult& result : read_record(folder_ / file)) {
    elsewhere_[result.id] = result.status == "ok" ? RunClaim::ok : RunClaim::failed;
  }
  const auto found = elsewhere_.find(run_id);
  return found == elsewhere_.end() ? std::nullopt : std::optional(found->second);
}

RunClaim StudyProcess::recorded_as(const LeaseEntry& entry, const std::string& run_id) {
  if (const auto found = find_recorded(entry.results, run_id)) return *found;
  fail(ErrorKind::failure,
       "{}: {} recorded run {} there, but it is not in it: end all processes of the study and start it again",
       (folder_ / entry.results).string(), entry.process, run_id);
}

RunClaim StudyProcess::claim(const std::string& run_id) {
  const LeaseFolder::Answer answer = leases_.take(run_id);
  if (answer.kind == Kind::busy) return RunClaim::elsewhere;
  if (answer.kind == Kind::recorded) return recorded_as(*answer.entry, run_id);
  // Its holder may have been killed between its record and the end of its lease. A failure is tried again.
  if (answer.entry && find_recorded(answer.entry->results, run_id) == RunClaim::ok) {
    leases_.mark(answer.lease, LeaseState::recorded);
    return RunClaim::ok;
  }
  const auto held = std::make_shared<Held>();
  held->lease = answer.lease;
  const std::scoped_lock lock(mutex_);
  held_[run_id] = held;
  return RunClaim::taken;
}

const std::atomic<bool>& StudyProcess::stop_flag(const std::string& run_id) const {
  const std::scoped_lock lock(mutex_);
  return held_.at(run_id)->stop;
}

void StudyProcess::stop_all() {
  for (const auto& [run, held] : held()) held->stop = true;
}

bool StudyProcess::holds(const std::string& run_id) const {
  const auto all = held();
  const auto found = all.find(run_id);
  return found != all.end() && leases_.holds(found->second->lease);
}

bool StudyProcess::record(const RunResult& result) {
  const std::shared_ptr<Held> held = this->held().at(result.id);
  const bool mine = leases_.holds(held->lease);
  if (mine) {
    writing_to_folder([&] {
      const std::scoped_lock lock(record_mutex_);
      if (!record_) record_.emplace(folder_ / results_name());
      record_->append(to_json_line(result));
    });
    leases_.mark(held->lease, LeaseState::recorded);
  }
  const std::scoped_lock lock(mutex_);
  held_.erase(result.id);
  return mine;
}

bool StudyProcess::end(const std::function<void()>& last) {
  heartbeat_->set_state(ProcessState::ending);
  take_folder(false);
  const bool is_last = heartbeat_->stands() && !others(true);
  if (is_last) {
    merge_records(folder_);
    last();
    clear_leases();
  }
  // In this order: who takes the folder next must not see this process any more.
  heartbeat_.reset();
  release_folder();
  return is_last;
}

}  // namespace graft
