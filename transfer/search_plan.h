#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transfer/plan.h"
#include "transfer/runner.h"
#include "transfer/search_parts.h"

namespace graft {

/// A way to train the target's network that a search compares: base, or so many layers carried over from the source.
struct SearchArm {
  Method method;
  int cut = 0;  ///< 0 for base

  bool operator==(const SearchArm&) const = default;
  bool carries() const { return cut > 0; }
  /// "base", "AnB+ lp-ft at cut 3".
  std::string name() const;
};
SearchArm arm_of(const RunSpec& run);

/// Networks that are trained together: a study of its own on its own data.
struct SearchPhase {
  Study study;
  StudyData data;
  std::vector<RunSpec> runs;
};

/// The plans of a search: which networks each of its phases trains. Every number of a network is a function of study,
/// data, shares and the lengths of rungs; a base network of the source is one for all phases.
class SearchPlans {
 public:
  /// `split` names one of the study's; "" where it has one. Throws Error(usage) if the study has several and none is
  /// named, or no such one; Error(data) if nothing in it carries layers over from the source, or a class has too few
  /// images.
  SearchPlans(const PreparedStudy& prepared, int threads, const std::string& split, const SearchShares& shares);

  /// base, then what the study makes of the source's layers, in its order.
  const std::vector<SearchArm>& arms() const { return arms_; }
  /// Treatments of the study that carry nothing over from the source, by name.
  const std::vector<std::string>& not_searched() const { return not_searched_; }
  const Split& split() const { return split_; }
  const SearchParts& parts() const { return parts_; }
  /// That of rungs: the smallest that the study does not have, so that no luck of a seed that was searched on comes
  /// into the decision.
  std::uint64_t seed() const { return seed_; }
  /// Epochs, or steps, of the study's own trainings.
  std::int64_t full_length() const;
  /// The least length at which every arm's policy comes to its end.
  std::int64_t least_length() const;

  /// Base networks of the source for these seeds; none where published weights are the source.
  SearchPhase source(const std::vector<std::uint64_t>& seeds) const;
  /// The arms, each with the search's seed, trained on the training part for `length` and tested on the validation
  /// part. A training of a part of the full length is the study's own, shortened: warm-up, milestones and the epochs
  /// of fine-tuning policies shrink with it. Throws Error(usage) if it is less than least_length().
  SearchPhase rung(const std::vector<SearchArm>& arms, std::int64_t length) const;
  /// The arms with all seeds of the study, trained in full on all but what is held out, and tested on that.
  SearchPhase decision(const std::vector<SearchArm>& arms) const;

 private:
  /// Data of a phase, with the hash of its target's part.
  struct Part {
    StudyData data;
    std::string target_hash;
  };
  SearchPhase phase_of(Study study, const Part& part, const std::vector<SearchArm>& arms) const;
  Study shortened(std::int64_t length) const;

  Study study_;  ///< for the one split
  Split split_;
  SearchParts parts_;
  std::uint64_t seed_ = 0;
  int stages_ = 0;
  RunContext context_;  ///< without data_hash
  Part ranking_;
  Part decision_;
  Part source_;
  std::vector<SearchArm> arms_;
  std::vector<std::string> not_searched_;
};

}  // namespace graft
