#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace graft {

/// What `graft train` reports of one epoch: a row of summary.csv. Losses are in nats, accuracies in [0, 1].
struct EpochRow {
  std::int64_t epoch = 0;  ///< from 0
  double train_loss = 0.0;
  double eval_loss = 0.0;
  double eval_top1 = 0.0;
  double eval_top5 = 0.0;
  double lr = 0.0;  ///< at the epoch's first step
  bool operator==(const EpochRow&) const = default;
};

/// summary.csv: a head line and one line an epoch, numbers with as many digits as give them back exactly.
std::string summary_csv(const std::vector<EpochRow>& rows);

/// The same lines back. Throws Error(data) "NAME: ..." for anything else.
std::vector<EpochRow> parse_summary_csv(const std::string& text, const std::string& name);

/// The row with the greatest eval_top1, the first of equal ones; nullptr if there is none.
const EpochRow* best_row(const std::vector<EpochRow>& rows);

}  // namespace graft
