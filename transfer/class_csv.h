#pragma once

#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/record.h"

namespace graft {

/// Right answers of finished networks by class, a line for each network and class of its target half under a line of
/// column names: run, treatment, split, source, target, n (the cut), seed, class, top1 (of that class), correct,
/// n_test. Networks that failed are left out, and so are those whose record counts no classes; of those that were tried
/// again the last trial counts. Throws Error(data) naming the run if it counts another number of classes than its half
/// of manifest.json has.
std::string class_csv(const std::vector<RunResult>& results, const Manifest& manifest);

}  // namespace graft
