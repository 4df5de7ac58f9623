#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

struct AnswerOptions {
  int first_stage = 0;              ///< that items go into: 0 for images, frozen_stages for features of the prefix
  int frozen_stages = 0;            ///< where the prefix ends
  std::function<void()> between{};  ///< called before every batch; may throw
  std::int64_t kept_bytes = std::int64_t{16} << 20;  ///< of logits on the backend, before they are read back together
};

/// For every image of `loader`, in its order, whether the network answers it rightly: as Backend::count_correct has it
/// with k = 1. Items are images, `labels` theirs. Few batches wait for the backend: logits are read back many at a
/// time.
std::vector<bool> right_answers(Backbone& network, Backend& backend, Loader& loader,
                                std::span<const std::int64_t> labels, const AnswerOptions& options = {});

/// {right, images} of each of `parts`, image i being in part `part_of[i]`, or in none where that is -1.
std::vector<std::array<std::int64_t, 2>> count_answers(const std::vector<bool>& right,
                                                       std::span<const std::int64_t> part_of, std::int64_t parts);

/// True iff `label` is the largest of `logits`; of equal ones the first counts as larger, and a NaN makes it false.
bool is_largest(std::span<const float> logits, std::int64_t label);

}  // namespace graft
