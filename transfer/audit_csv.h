#pragma once

#include <string>
#include <vector>

#include "transfer/audit.h"
#include "transfer/manifest.h"
#include "transfer/record.h"

namespace graft {

/// Right answers of finished networks by class or subgroup, a line for each network and part under a line of column
/// names: run, treatment, split, source, target, n (the cut), seed, class (or subgroup), top1 (of that part), correct,
/// n_test. Networks that failed are left out, and so are those whose record does not count; of those that were tried
/// again the last trial counts. Throws Error(data) as part_names.
std::string audit_csv(AuditBy by, const std::vector<RunResult>& results, const Manifest& manifest);

}  // namespace graft
