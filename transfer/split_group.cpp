#include "transfer/split_group.h"

#include <fmt/format.h>

#include <algorithm>

namespace graft {
namespace {

std::string without_number(const std::string& split) {
  const auto last = split.find_last_not_of("0123456789");
  return last == std::string::npos ? "" : split.substr(0, last + 1);
}

void finish(SplitGroup& group) {
  group.unit = group.splits.size() < 2 ? PairUnit::seed : PairUnit::split_and_target;
  if (group.splits.size() == 1) group.name = group.splits[0];
  if (group.name.empty()) group.name = fmt::format("{}", fmt::join(group.splits, ", "));
}

}  // namespace

std::string split_stem(const std::string& split) {
  const std::string stem = without_number(split);
  return stem.empty() ? split : stem;
}

std::vector<SplitGroup> split_groups(std::span<const Observation> observations) {
  std::vector<SplitGroup> groups;
  for (const Observation& o : observations) {
    const std::string stem = without_number(o.split);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const SplitGroup& g) { return g.name == stem; });
    if (group == groups.end()) {
      groups.emplace_back();
      groups.back().name = stem;
      group = groups.end() - 1;
    }
    if (std::find(group->splits.begin(), group->splits.end(), o.split) == group->splits.end()) {
      group->splits.push_back(o.split);
    }
    group->observations.push_back(o);
  }
  for (SplitGroup& group : groups) finish(group);
  return groups;
}

}  // namespace graft
