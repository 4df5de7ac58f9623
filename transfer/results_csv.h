#pragma once

#include <string>
#include <vector>

#include "transfer/record.h"

namespace graft {

/// Finished networks as a table, a line each under a line of column names: run, treatment, split, source, target, n
/// (the cut), seed, classes, top1, correct, n_test, epochs, final_train_loss (nats), seconds. `graft contrasts` reads
/// it. Networks that failed are left out, of those that were tried again the last trial counts.
std::string results_csv(const std::vector<RunResult>& results);

}  // namespace graft
