#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transfer/record.h"
#include "transfer/reference.h"
#include "transfer/statistics.h"
#include "transfer/study.h"

namespace graft {

/// A network that finished but counts as one that did not train, and why.
struct UntrainedRun {
  RunResult run;
  std::string reason;
};

/// What the runs of one treatment at one cut say.
struct ArmRow {
  Arm arm;
  std::int64_t expected = 0;  ///< runs that the study asks for
  std::int64_t failed = 0;
  std::int64_t untrained = 0;
  ArmMean mean;                         ///< over all finished runs
  PairedDifference difference;          ///< likewise; empty for base
  ArmMean trained_mean;                 ///< without those that did not train
  PairedDifference trained_difference;  ///< likewise
};

/// A study's results as every table, figure and sentence of its report takes them. Of each run its last line counts.
/// Base networks of a half that is no target are apart: no arm is compared with them.
struct ReportData {
  Study study;
  std::vector<std::string> splits;         ///< that it speaks of
  std::string group{};                     ///< what they have in common; "" where the study has no others
  std::optional<ReferenceRuns> reference;  ///< published runs of splits of the same kind
  PairUnit unit = PairUnit::seed;
  std::vector<RunResult> finished;  ///< on target halves
  std::vector<RunResult> source_bases;
  std::vector<RunResult> failed;
  std::vector<UntrainedRun> untrained;  ///< of all finished ones
  std::vector<Observation> observations;
  std::vector<ArmRow> rows;  ///< base first, then treatments in the study's order, cuts rising
  std::vector<int> cuts;     ///< rising

  const ArmRow* find_row(const Arm& arm) const;
  bool is_untrained(const RunResult& run) const;
  std::int64_t expected_runs() const;
};

/// Of all splits of a study, or of those given.
ReportData make_report_data(const Study& study, const std::vector<RunResult>& results,
                            const std::vector<std::string>& splits = {});
/// A part for each kind of split: those whose names differ only in a trailing number are pooled, others stand alone.
std::vector<ReportData> make_report_parts(const Study& study, const std::vector<RunResult>& results);

/// How the page and the table decide and count, in sentences.
std::string untrained_rule();
std::string interval_rule(const ReportData& data);

}  // namespace graft
