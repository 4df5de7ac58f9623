#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "transfer/plan.h"
#include "transfer/record.h"
#include "transfer/study_data.h"

namespace graft {

struct RunnerOptions {
  std::string study_text;  ///< the study file as it is to be run
  std::string study_file;  ///< names it in errors
  std::filesystem::path folder;
  DataFolders data;
  std::string device = "cpu";            ///< a kind of the backend registry
  BackendOptions backend{.threads = 1};  ///< how a run's backend is made; threads of one run
  int jobs = 0;                          ///< runs at a time; 0: as many as fill the cores
  bool feature_cache = true;
  bool accept_binary = false;  ///< go on from results of another binary
  std::string binary{};        ///< SHA-256 of the program
  std::map<std::string, std::string> versions{};
  std::string device_name{};
  std::vector<std::string> command_line{};
  const std::atomic<bool>* stop = nullptr;  ///< true: stop at the next step
  std::string process{};  ///< how this process is called where several train the study; "": the machine
  std::chrono::milliseconds silence{60'000};  ///< see StudyProcess
};

/// A study resolved for a machine: what `plan` shows and `run` runs.
struct PreparedStudy {
  Plan plan;
  StudyData data;
  std::string weights_hash;  ///< SHA-256 of the study's published weights; "" without
  std::vector<std::string> stages;
  std::string device_kind;
};

struct RunnerOutcome {
  Study study;
  std::vector<RunResult> results;  ///< the record, one line a run
  std::int64_t planned = 0;
  std::int64_t done = 0;
  std::int64_t failed = 0;
  bool interrupted = false;
  bool last = true;  ///< no other process goes on with the study
};

/// Runs at a time that fill the cores, or this process's share of them where a launcher started several.
int default_jobs(int threads);

/// Resolves a study. Throws Error(usage) where the device cannot do --amp bf16,
/// Error(data) for whatever is wrong with study or data.
PreparedStudy prepare_study(const RunnerOptions& options);
/// The same with the study's data sets as they are given.
PreparedStudy prepare_study(const RunnerOptions& options, const StudyData& data);

/// Trains every run of the study that its folder does not hold yet, several at a time, bases first. A run that fails is
/// recorded, as are those that wait for it, and the rest go on. Other processes that do the same in the same folder, on
/// this machine or others, share the runs with it (see StudyProcess); it ends when all runs have ended. Throws
/// Error(data) if the folder belongs to another study or, without accept_binary, another binary; FolderError as soon as
/// it cannot be written.
RunnerOutcome run_study(const RunnerOptions& options);

}  // namespace graft
