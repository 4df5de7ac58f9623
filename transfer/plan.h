#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "transfer/study.h"

namespace graft {

/// One network to be trained.
struct RunSpec {
  std::string id;  ///< first 16 hex digits of the hash of its resolved settings, data, device kind and thread count
  Treatment treatment = Treatment::base;
  int cut = 0;  ///< stages carried over; 0 for base
  Split split;
  std::string source;  ///< half whose base gives the layers: "A" or "B"; for base and random the target itself
  std::string target;  ///< half trained and tested on
  std::uint64_t seed = 0;
  std::string depends_on;  ///< id of the base run whose layers are copied; "" where none are
};

/// What a run's bits depend on beside the study: part of each id.
struct RunContext {
  std::string device_kind;
  int threads = 1;
  std::string data_hash;
};

/// A study resolved against its data set: bases first, each base once for (split, half, seed).
struct Plan {
  Study study;
  std::vector<Split> splits;
  std::vector<RunSpec> runs;
};

/// Expands a study. Throws Error(data) naming the key for an unknown class, a cut beyond the model's stages, or a class
/// with too few images. Cuts apply to every treatment but base.
Plan make_plan(const Study& study, const DatasetPair& data, int stage_count, const RunContext& context);

}  // namespace graft
