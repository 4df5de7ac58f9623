#include "transfer/fine_tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

constexpr std::array<std::pair<FineTuning, const char*>, 5> kNames{{{FineTuning::plain, "plain"},
                                                                    {FineTuning::lp_ft, "lp-ft"},
                                                                    {FineTuning::gradual, "gradual"},
                                                                    {FineTuning::llrd, "llrd"},
                                                                    {FineTuning::l2_sp, "l2-sp"}}};

/// What lies behind the carried stages: later stages and the head.
std::vector<NamedVariable> parameters_after(const Backbone& network, int cut) {
  std::set<std::string> carried;
  for (const NamedVariable& named : network.stage_parameters(0, cut)) carried.insert(named.name);
  std::vector<NamedVariable> rest = network.parameters();
  std::erase_if(rest, [&](const NamedVariable& named) { return carried.contains(named.name); });
  return rest;
}

}  // namespace

const char* name_of(FineTuning policy) {
  for (const auto& [known, name] : kNames) {
    if (known == policy) return name;
  }
  throw Error("[fine-tuning] no such policy");
}

const std::vector<FineTuning>& fine_tuning_policies() {
  static const std::vector<FineTuning> all = [] {
    std::vector<FineTuning> policies;
    policies.reserve(kNames.size());
    for (const auto& [policy, name] : kNames) policies.push_back(policy);
    return policies;
  }();
  return all;
}

std::string text_of(FineTuning policy, const FineTuningSettings& settings) {
  switch (policy) {
    case FineTuning::plain:
      return "";
    case FineTuning::lp_ft:
      return fmt::format("lp-ft epochs {}", settings.lp_ft_epochs);
    case FineTuning::gradual:
      return fmt::format("gradual epochs {}", settings.gradual_epochs);
    case FineTuning::llrd:
      return fmt::format("llrd decay {}", settings.llrd_decay);
    case FineTuning::l2_sp:
      return fmt::format("l2-sp alpha {}", settings.l2_sp_alpha);
  }
  throw Error("[fine-tuning] no such policy");
}

int frozen_in_epoch(FineTuning policy, const FineTuningSettings& settings, int cut, std::int64_t epoch) {
  if (policy == FineTuning::lp_ft) return epoch < settings.lp_ft_epochs ? cut : 0;
  if (policy != FineTuning::gradual) return 0;
  return static_cast<int>(std::max<std::int64_t>(0, cut - epoch / settings.gradual_epochs));
}

std::int64_t first_free_epoch(FineTuning policy, const FineTuningSettings& settings, int cut) {
  if (policy == FineTuning::lp_ft) return settings.lp_ft_epochs;
  return policy == FineTuning::gradual ? cut * settings.gradual_epochs : 0;
}

std::vector<ParameterGroup> parameter_groups(FineTuning policy, const FineTuningSettings& settings,
                                             const Backbone& network, int cut) {
  std::vector<ParameterGroup> groups;
  if (policy == FineTuning::llrd) {
    for (int stage = 0; stage < cut; ++stage) {
      groups.push_back({.parameters = network.stage_parameters(stage, stage + 1),
                        .lr_factor = std::pow(settings.llrd_decay, cut - stage)});
    }
    groups.push_back({.parameters = parameters_after(network, cut)});
  } else if (policy == FineTuning::l2_sp) {
    groups.push_back({.parameters = network.stage_parameters(0, cut), .decay_to_start = settings.l2_sp_alpha});
    groups.push_back({.parameters = parameters_after(network, cut)});
  } else {
    groups.push_back({.parameters = network.parameters()});
  }
  std::erase_if(groups, [](const ParameterGroup& group) { return group.parameters.empty(); });
  return groups;
}

}  // namespace graft
