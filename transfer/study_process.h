#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/io/file.h"
#include "transfer/heartbeat.h"
#include "transfer/lease.h"
#include "transfer/process_watch.h"
#include "transfer/record.h"
#include "transfer/runner_pool.h"

namespace graft {

/// This process among those, on one machine or on many, that train one study in one folder. They share nothing but the
/// folder: its leases/ says which of them is at which run, and each appends to a record of its own.
///
/// The first to come writes results.jsonl, those that join it results-NAME.jsonl; read_results reads all of them, and
/// the last one to end makes one of them. What is done once for all (opening the folder, merging records) is done by
/// the holder of the lease "folder".
class StudyProcess {
 public:
  struct Options {
    std::string label{};                        ///< the process's name begins so; "": the machine's name
    std::chrono::milliseconds silence{60'000};  ///< without a sign of life for so long others take over its runs
    const std::atomic<bool>* stop = nullptr;    ///< true: wait for nothing any more
  };
  /// Makes itself known in the folder, which must exist, and waits for the lease "folder". Throws Error(failure) if
  /// the folder cannot be written, Error(interrupted) after `stop`.
  StudyProcess(std::filesystem::path folder, const Options& options);
  /// Gives back what it holds.
  ~StudyProcess();
  StudyProcess(const StudyProcess&) = delete;
  StudyProcess& operator=(const StudyProcess&) = delete;

  const std::string& name() const { return name_; }
  /// True iff no other process was training the study when this one came: it may put the folder in order.
  bool first() const { return first_; }
  /// Forgets the leases of processes that are gone. For the first, before it works.
  void clear_leases();
  /// From here on it takes runs, and others may join it.
  void begin_work();

  /// Asks for a run, as RunnerPool::Claim. Throws Error(failure) if the folder cannot be read or written.
  RunClaim claim(const std::string& run_id);
  /// The flag that ends a run that was claimed: it is another process's now, or stop_all() was called.
  const std::atomic<bool>& stop_flag(const std::string& run_id) const;
  /// Ends all runs that are held.
  void stop_all();
  /// True iff a run that was claimed is still this process's, as far as it knows.
  bool holds(const std::string& run_id) const;
  /// Writes the result of a run that was claimed and ends its lease; false, writing nothing, if the run is another
  /// process's now. Throws FolderError if it cannot be written.
  bool record(const RunResult& result);

  /// To be called when no run is held any more: waits for the lease "folder" and, unless others go on, makes one record
  /// of all and calls `last` with the folder still held. True if it was the last.
  bool end(const std::function<void()>& last);

 private:
  struct Held {
    Lease lease;
    std::atomic<bool> stop = false;
  };

  std::string results_name() const;  ///< of the file that it appends to
  void take_folder(bool may_stop);
  void release_folder();
  bool others(bool ending_too);
  void look_at_leases() noexcept;
  RunClaim recorded_as(const LeaseEntry& entry, const std::string& run_id);
  std::optional<RunClaim> find_recorded(const std::string& file, const std::string& run_id);
  std::map<std::string, std::shared_ptr<Held>> held() const;

  std::filesystem::path folder_;
  std::filesystem::path leases_folder_;
  const std::atomic<bool>* stop_;
  std::optional<Heartbeat> heartbeat_;
  std::string name_;
  ProcessWatch watch_;
  LeaseFolder leases_;
  std::optional<Lease> folder_lease_;
  bool first_ = false;
  std::optional<LineAppender> record_;
  std::mutex record_mutex_;                    ///< of record_
  std::map<std::string, RunClaim> elsewhere_;  ///< results of others by run; of claim(), which one thread calls
  mutable std::mutex mutex_;                   ///< of held_
  std::map<std::string, std::shared_ptr<Held>> held_;
};

}  // namespace graft
