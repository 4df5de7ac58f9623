#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transfer/auroc.h"

namespace graft {

/// What `graft train` reports of one epoch: a row of summary.csv. Losses are in nats, accuracies in [0, 1].
struct EpochRow {
  std::int64_t epoch = 0;  ///< from 0
  double train_loss = 0.0;
  double eval_loss = 0.0;
  double eval_top1 = 0.0;  ///< accuracies are those of single-label data
  double eval_top5 = 0.0;
  double lr = 0.0;           ///< at the epoch's first step
  LabelAurocs eval_auroc{};  ///< of multi-label data, a class each; else empty
  bool operator==(const EpochRow&) const = default;

  /// What networks are compared by: the mean AUROC of multi-label data (0 where no class has one), or top-1.
  double score() const { return eval_auroc.labels.empty() ? eval_top1 : eval_auroc.mean.value_or(0.0); }
};

/// summary.csv: a head line and one line an epoch, numbers with as many digits as give them back exactly. With the
/// names of multi-label classes, AUROCs in place of accuracies: the mean, then a column a class; an empty cell where
/// positives or negatives are lacking.
std::string summary_csv(const std::vector<EpochRow>& rows, const std::vector<std::string>& multi_label_classes = {});

/// The same lines back. Throws Error(data) "NAME: ..." for anything else.
std::vector<EpochRow> parse_summary_csv(const std::string& text, const std::string& name,
                                        const std::vector<std::string>& multi_label_classes = {});

/// The row with the greatest score(), the first of equal ones; nullptr if there is none.
const EpochRow* best_row(const std::vector<EpochRow>& rows);

}  // namespace graft
