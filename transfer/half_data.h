#pragma once

#include <cstdint>
#include <vector>

#include "transfer/plan.h"

namespace graft {

/// The images of one half.
struct HalfData {
  DatasetPtr train;
  DatasetPtr test;
  std::vector<std::int64_t> test_items{};  ///< of the whole test set
};
HalfData open_half(const Study& study, const StudyData& data, const RunSpec& run);

/// Training steps of one epoch: whole batches, the rest is dropped. Throws Error(data) if there is none.
std::int64_t steps_per_epoch(const Dataset& train, const TrainingSettings& settings);

}  // namespace graft
