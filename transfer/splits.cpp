#include "transfer/splits.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "transfer/plan_check.h"

namespace graft {
namespace {

using Indices = std::vector<std::int64_t>;

/// Fisher and Yates, with draws `first`, first + 1, ... of the stream's step `index`.
template <class Values>
void shuffle(Values& values, const RandomStream& stream, std::uint64_t index, std::uint64_t first = 0) {
  for (std::size_t i = values.size(); i-- > 1;) {
    std::swap(values[i], values[stream.below(index, first + i, i + 1)]);
  }
}

Split sorted_split(std::int64_t index, Indices source, Indices target) {
  std::sort(source.begin(), source.end());
  std::sort(target.begin(), target.end());
  return {fmt::format("random{}", index), std::move(source), std::move(target)};
}

Indices named_or_all(const std::vector<std::string>& names, const std::vector<std::string>& known, const char* key,
                     const std::string& dataset) {
  if (!names.empty()) return class_indices(names, known, key, dataset);
  Indices all(known.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Classes of equal names, in one data set or in two: the network of the source knows them already.
void check_overlap(const Study& study, const Split& split, const std::vector<std::string>& source_names,
                   const std::vector<std::string>& target_names) {
  std::set<std::string> source;
  for (const std::int64_t c : split.source) source.insert(source_names[static_cast<std::size_t>(c)]);
  const std::set<std::string> declared(study.overlap.begin(), study.overlap.end());
  std::set<std::string> shared;
  for (const std::int64_t c : split.target) {
    const std::string& name = target_names[static_cast<std::size_t>(c)];
    if (!source.contains(name)) continue;
    shared.insert(name);
    if (!declared.contains(name)) {
      fail(ErrorKind::data,
           "class '{}' is in split.source and split.target: take it out of one, or list it in "
           "split.overlap",
           name);
    }
  }
  for (const std::string& name : study.overlap) {
    if (!shared.contains(name)) fail(ErrorKind::data, "split.overlap lists '{}', which is not in both halves", name);
  }
}

Split named_split(const Study& study, const std::vector<std::string>& source_names,
                  const std::vector<std::string>& target_names) {
  const std::string& source_dataset = study.source_dataset.empty() ? study.dataset : study.source_dataset;
  Split split{.name = "named",
              .source = {},
              .target = named_or_all(study.target_classes, target_names, "split.target", study.dataset)};
  if (study.source_checkpoint.empty()) {
    split.source = named_or_all(study.source_classes, source_names, "split.source", source_dataset);
  }
  check_overlap(study, split, source_names, target_names);
  return split;
}

/// Every class but those of a half.
Indices rest_of(const Indices& half, std::size_t classes) {
  const std::set<std::int64_t> taken(half.begin(), half.end());
  Indices rest;
  for (std::size_t c = 0; c < classes; ++c) {
    if (!taken.contains(static_cast<std::int64_t>(c))) rest.push_back(static_cast<std::int64_t>(c));
  }
  return rest;
}

Split listed_split(const Study& study, const NamedSplit& named, const std::vector<std::string>& names) {
  const std::string key = fmt::format("split.splits.{}", named.name);
  Split split{.name = named.name,
              .source = class_indices(named.source, names, key + ".source", study.dataset),
              .target = class_indices(named.target, names, key + ".target", study.dataset)};
  if (named.target.empty()) split.target = rest_of(split.source, names.size());
  if (split.target.size() < 2) fail(ErrorKind::data, "{}: its target has {} classes", key, split.target.size());
  check_overlap(study, split, names, names);
  return split;
}

/// The groups by index. Throws unless they hold each class of the data set once.
std::vector<Indices> group_indices(const Study& study, const std::vector<std::string>& names) {
  std::vector<Indices> groups;
  Indices seen;
  for (const ClassGroup& group : study.groups) {
    groups.push_back(class_indices(group.classes, names, "split.groups, " + group.name + ",", study.dataset));
    seen.insert(seen.end(), groups.back().begin(), groups.back().end());
  }
  std::sort(seen.begin(), seen.end());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::binary_search(seen.begin(), seen.end(), static_cast<std::int64_t>(i))) continue;
    fail(ErrorKind::data, "split.groups leaves out class '{}' of {}: random halves of groups need every class",
         names[i], study.dataset);
  }
  return groups;
}

Split random_half(const Study& study, const std::vector<std::string>& names, std::int64_t index) {
  if (study.group_use == GroupUse::none) {
    return random_split(static_cast<std::int64_t>(names.size()), study.split_seed, index);
  }
  return random_group_split(group_indices(study, names), study.group_use, study.split_seed, index);
}

}  // namespace

Split random_split(std::int64_t classes, std::uint64_t split_seed, std::int64_t index) {
  Indices order(static_cast<std::size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, RandomStream{split_seed, stream_of("split")}, static_cast<std::uint64_t>(index));
  const auto middle = order.begin() + classes / 2;
  return sorted_split(index, {order.begin(), middle}, {middle, order.end()});
}

Split random_group_split(const std::vector<Indices>& groups, GroupUse use, std::uint64_t split_seed,
                         std::int64_t index) {
  const RandomStream stream{split_seed, stream_of(use == GroupUse::similar ? "split:similar" : "split:dissimilar")};
  std::vector<Indices> order = groups;
  Indices source;
  Indices target;
  const auto append = [](Indices& half, auto first, auto last) { half.insert(half.end(), first, last); };
  if (use == GroupUse::dissimilar) {
    shuffle(order, stream, static_cast<std::uint64_t>(index));
    for (std::size_t i = 0; i < order.size(); ++i) {
      append(i < order.size() / 2 ? source : target, order[i].begin(), order[i].end());
    }
    return sorted_split(index, std::move(source), std::move(target));
  }
  std::uint64_t draws = 0;
  bool odd_to_source = false;
  for (Indices& group : order) {
    shuffle(group, stream, static_cast<std::uint64_t>(index), draws);
    draws += group.size();
    std::size_t half = group.size() / 2;
    if (group.size() % 2 != 0) {
      half += odd_to_source ? 1U : 0U;
      odd_to_source = !odd_to_source;
    }
    const auto middle = group.begin() + static_cast<std::ptrdiff_t>(half);
    append(source, group.begin(), middle);
    append(target, middle, group.end());
  }
  return sorted_split(index, std::move(source), std::move(target));
}

std::vector<std::string> split_names(const Study& study) {
  std::vector<std::string> names;
  for (const NamedSplit& split : study.named_splits) names.push_back(split.name);
  for (std::int64_t k = 0; k < study.random_splits; ++k) names.push_back(fmt::format("random{}", k));
  if (names.empty()) names.emplace_back("named");
  return names;
}

std::vector<Split> make_splits(const Study& study, const std::vector<std::string>& source_names,
                               const std::vector<std::string>& target_names) {
  std::vector<Split> splits;
  for (const NamedSplit& named : study.named_splits) splits.push_back(listed_split(study, named, target_names));
  if (!splits.empty()) return splits;
  if (study.random_splits == 0) return {named_split(study, source_names, target_names)};
  const std::size_t classes = target_names.size();
  if (classes < 4) fail(ErrorKind::data, "split.random_halves needs 4 classes, {} has {}", study.dataset, classes);
  for (std::int64_t k = 0; k < study.random_splits; ++k) {
    splits.push_back(random_half(study, target_names, k));
    for (const auto* half : {&splits.back().source, &splits.back().target}) {
      if (half->size() < 2) fail(ErrorKind::data, "split.groups: split {} has a half of {} classes", k, half->size());
    }
  }
  return splits;
}

}  // namespace graft
