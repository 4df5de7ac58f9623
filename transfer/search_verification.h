#pragma once

#include "transfer/verification.h"

namespace graft {

/// Recomputes what the folder of a search claims, as verify_study does for a study: the hashes of study.yaml, of each
/// line of search.jsonl, of every network's weights and of the data; the ids of runs, from the settings in the first
/// line; and each network's right answers on the part of the target's images that ranked or decided it. Throws as
/// verify_study does.
Verification verify_search(const VerificationOptions& options);

}  // namespace graft
