#pragma once

#include "engine/backend/backend.h"
#include "transfer/plan_cost.h"
#include "transfer/runner.h"

namespace graft {

/// What each run of a study costs: operations counted on the network's shapes; seconds from a few training steps that
/// are measured now on `backend`, which is one worker's, unless each would take seconds or `timed` is false.
CostFunction study_costs(const PreparedStudy& prepared, Backend& backend, bool feature_cache, bool timed = true);

}  // namespace graft
