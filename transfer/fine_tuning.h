#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/backbone.h"

namespace graft {

/// How carried layers are fine-tuned with the rest.
enum class FineTuning {
  plain,    ///< everything from the first step on
  lp_ft,    ///< first only what is new, then everything (Kumar et al. 2022, "Fine-tuning can distort pretrained
            ///< features and underperform out-of-distribution")
  gradual,  ///< carried stages one after another, the last one first (Howard and Ruder 2018, ULMFiT)
  llrd,     ///< carried stages at rates that fall with the distance from what is new (the same paper, "discriminative")
  l2_sp,    ///< carried parameters are drawn to where they started instead of to zero (Li et al. 2018, "Explicit
            ///< inductive bias for transfer learning with convolutional networks")
};

/// "plain", "lp-ft", "gradual", "llrd", "l2-sp".
const char* name_of(FineTuning policy);
/// All of them, in that order.
const std::vector<FineTuning>& fine_tuning_policies();

struct FineTuningSettings {
  std::int64_t lp_ft_epochs = 3;    ///< of lp-ft, in which carried stages stay frozen
  std::int64_t gradual_epochs = 1;  ///< of gradual, between one stage and the next; as many before the first
  double llrd_decay = 0.75;         ///< of llrd, the rate's factor from one stage to the one before it
  double l2_sp_alpha = 0.01;        ///< of l2-sp, as a weight decay towards the start

  bool operator==(const FineTuningSettings&) const = default;
};

/// The settings of `policy` alone, as "lp-ft epochs 3"; "" for plain.
std::string text_of(FineTuning policy, const FineTuningSettings& settings);

/// Leading stages that are frozen in epoch `epoch` (from 0) where `cut` are carried over.
int frozen_in_epoch(FineTuning policy, const FineTuningSettings& settings, int cut, std::int64_t epoch);
/// The first epoch from which on nothing is frozen.
std::int64_t first_free_epoch(FineTuning policy, const FineTuningSettings& settings, int cut);

/// Parameters that are updated alike.
struct ParameterGroup {
  std::vector<NamedVariable> parameters;
  double lr_factor = 1.0;       ///< of the schedule's rate
  double decay_to_start = 0.0;  ///< if above 0: weight decay towards the value at the start, instead of to zero
};

/// The groups that `policy` makes of a network's parameters of which the first `cut` stages are carried over. Every
/// parameter is in one group; groups without parameters are left out.
std::vector<ParameterGroup> parameter_groups(FineTuning policy, const FineTuningSettings& settings,
                                             const Backbone& network, int cut);

}  // namespace graft
