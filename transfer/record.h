#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// One finished network: a line of results.jsonl.
struct RunResult {
  std::string id;
  std::string treatment;
  std::string fine_tuning{};        ///< policy of a treatment that fine-tunes, "" for others
  std::string batch_norm_policy{};  ///< of stages that are frozen, "" where none are
  int cut = 0;
  std::string split;
  std::string source;
  std::string target;
  std::uint64_t seed = 0;
  double top1 = 0.0;  ///< of the last epoch
  std::int64_t correct = 0;
  std::int64_t n_test = 0;
  std::int64_t classes = 0;
  std::int64_t epoch = 0;          ///< epochs trained
  double train_loss = 0.0;         ///< mean of the last epoch, nats
  std::string status = "ok";       ///< "ok" or "failed"
  std::string error;               ///< one line, with status failed
  std::string frozen_hash_before;  ///< "" where nothing is frozen
  std::string frozen_hash_after;
  std::string binary;                           ///< SHA-256 of the program
  std::map<std::string, std::string> versions;  ///< library versions
  std::map<std::string, std::string> choices;   ///< what "auto" options took, by shape; empty without them
  std::map<std::string, std::string> files;     ///< of the run's folder, by name -> SHA-256
  double seconds = 0.0;
  /// Of every target class, in label order (manifest.json's order of names): {answered rightly, tested}. Empty in
  /// records of programs that did not count them.
  std::vector<std::array<std::int64_t, 2>> by_class{};
  /// The same of every subgroup, in manifest.json's order of names; empty where the study has none, and of base
  /// networks of a half that is no target.
  std::vector<std::array<std::int64_t, 2>> by_subgroup{};
};

/// As label_of of the run's method: "AnB+ lp-ft".
std::string label_of(const RunResult& result);

/// The record as one line of JSON. Its last field, sha256, is the SHA-256 of the line as it would be without it.
std::string to_json_line(const RunResult& result);
/// "" if a line is what its own sha256 says, or what is wrong with it: "has no sha256" or "was changed".
std::string fault_of_line(const std::string& line);
/// Throws Error(data) with `where` ("results.jsonl:12") for a line that is no such record.
RunResult result_from_json(const std::string& line, const std::string& where);

/// The record without what may differ between equal ones: its JSON lines sorted by id, without `seconds`, the log's
/// hash (it tells rates) and sha256. Two records are equal iff these are.
std::vector<std::string> comparable_lines(const std::vector<RunResult>& results);

/// Each run once, by its last line, in the order of first lines: a run that failed and was tried again counts as the
/// last trial left it.
std::vector<RunResult> last_of_each(const std::vector<RunResult>& results);

/// The records of a study's folder: results.jsonl, where it is there, and those of processes that train the study
/// beside the first or were killed, results-NAME.jsonl, by name.
std::vector<std::filesystem::path> record_files(const std::filesystem::path& folder);
inline constexpr const char* kResultsPrefix = "results-";
/// The results of one record, in file order; empty if it is not there. A torn last line is not read.
std::vector<RunResult> read_record(const std::filesystem::path& file);
/// The results of all records of a study's folder, in their order.
std::vector<RunResult> read_results(const std::filesystem::path& folder);

}  // namespace graft
