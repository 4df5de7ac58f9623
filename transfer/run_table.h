#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "transfer/statistics.h"

namespace graft {

/// A row of a table of runs: one trained network.
struct TableRun {
  std::int64_t line = 0;
  std::string run;  ///< its name, or "line 12" in a table without names
  Observation observation;
  std::optional<double> final_train_loss;  ///< nats
  std::int64_t classes = 0;                ///< that its output tells apart
  std::string untrained;                   ///< why it counts as one that did not train, or ""
};

struct RunTableOptions {
  std::optional<std::int64_t> classes;  ///< of networks whose row does not say
  /// A table may lack split, source and target, and then is one of a single split "named" from A to B; and its cuts may
  /// stand in a column `cut` in place of n.
  bool lone_split = false;
};

/// What ln C is taken of where neither the table nor the options say: ImageNet's classes.
constexpr std::int64_t kDefaultClasses = 1000;

/// A table of runs, in the columns of studies/reference/yosinski2014_runs.csv.
struct RunTable {
  std::vector<TableRun> runs;
  std::vector<std::string> unused_columns;  ///< which the table has and the statistics do not know
  bool has_losses = false;                  ///< without a column of losses nothing can be said about what trained
  bool classes_assumed = false;             ///< kDefaultClasses was taken for want of anything better

  std::vector<Observation> observations() const;
};

/// Reads comma-separated text with a head line. Columns in any order; treatment, split, source, target, n and top1 must
/// be there; run, final_train_loss, seed (else 0), classes, n_test, iterations and validation_readings may be; others
/// are left alone. treatment, split and target are never empty; base has n = 0; top1 is a fraction. Throws Error(data)
/// "NAME:LINE: column top1: ..." for a cell that is none of this, and for two rows of the same network.
RunTable parse_run_table(const std::string& text, const std::string& name, const RunTableOptions& options = {});
RunTable read_run_table(const std::filesystem::path& file, const RunTableOptions& options = {});

}  // namespace graft
