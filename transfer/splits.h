#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transfer/study.h"

namespace graft {

/// Two halves of classes by index into their data set's, in the order that gives their labels. They share no class that
/// the study does not declare to overlap.
struct Split {
  std::string name;                  ///< "named", "random0", "random1", ..., or the study's own name for it
  std::vector<std::int64_t> source;  ///< half A; none where published weights are the source
  std::vector<std::int64_t> target;  ///< half B
};

/// Split number `index` of a study with random halves: a permutation of the classes keyed by (split_seed, "split",
/// index); the first half (the smaller one if odd) is the source. Both are sorted by class.
Split random_split(std::int64_t classes, std::uint64_t split_seed, std::int64_t index);

/// The same of groups of classes, each a list of indices. similar: the classes of each group are permuted and divided,
/// an odd one going to the halves in turn; dissimilar: the groups themselves are permuted and divided.
Split random_group_split(const std::vector<std::vector<std::int64_t>>& groups, GroupUse use, std::uint64_t split_seed,
                         std::int64_t index);

/// The names of a study's splits, without its data set.
std::vector<std::string> split_names(const Study& study);

/// The splits of a study whose source and target have classes of these names. Throws Error(data) naming the key for an
/// unknown class, one that is in both halves undeclared, groups that do not cover the classes, or too few of them.
std::vector<Split> make_splits(const Study& study, const std::vector<std::string>& source_names,
                               const std::vector<std::string>& target_names);

}  // namespace graft
