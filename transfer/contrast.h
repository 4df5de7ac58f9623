#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "transfer/bootstrap.h"
#include "transfer/decision.h"
#include "transfer/precision.h"
#include "transfer/split_group.h"
#include "transfer/statistics.h"

namespace graft {

/// One treatment against another at one cut, over splits that are pooled.
struct Contrast {
  std::string group;  ///< of splits, see SplitGroup
  PairUnit unit = PairUnit::seed;
  Arm arm;
  Arm reference;
  bool carries_over = false;  ///< the arm's layers come from another half than it is tested on, and it is no probe
  std::string refusal;        ///< why there is no number; "" iff there is one
  std::vector<UnitDifference> units;
  std::int64_t pairs = 0;
  IntervalEstimate difference;                 ///< at the rule's level, for itself
  std::optional<BootstrapInterval> bootstrap;  ///< beside it, from kBootstrapUnits on
  Decision decision;                           ///< within its family: the same two treatments at all cuts
  Precision precision;

  std::int64_t untrained = 0;           ///< networks of its pairs that count as not trained
  IntervalEstimate trained_difference;  ///< without the pairs that they are in
  Finding trained_finding = Finding::not_shown;

  bool refused() const { return !refusal.empty(); }
  /// True iff networks that did not train make the difference between what is found with and without them.
  bool hangs_on_untrained() const { return untrained > 0 && trained_finding != decision.finding; }
  /// decision.finding, or not_shown if that hangs on networks that did not train.
  Finding finding() const { return hangs_on_untrained() ? Finding::not_shown : decision.finding; }
  bool against_base() const { return reference.treatment == "base"; }
};

/// "AnB - base".
std::string name_of(const Contrast& contrast);

/// What a contrast tells in the paper's decomposition of a cut, and the sign that it has there.
struct ContrastRole {
  const char* name;  ///< "fragile co-adaptation", "specificity", "recovery", "transfer gain"
  const char* treatment;
  const char* reference;
  int expected_sign;
};
/// The four, in the order above: BnB - base and AnB - BnB are expected to be losses, BnB+ - BnB and AnB+ - BnB+ gains
/// (Yosinski et al. 2014, sections 2 and 4).
std::span<const ContrastRole> contrast_roles();
/// nullptr for a contrast that has none.
const ContrastRole* role_of(const Contrast& contrast);

struct ContrastOptions {
  DecisionRule rule;
  std::int64_t resamples = 9999;  ///< of the bootstrap
  std::uint64_t seed = 0;         ///< likewise
};

/// Every treatment against base and the decomposition's contrasts, by group of splits, then pair of treatments, then
/// rising cut. Paired on split, target half and seed. Two arms without a common pair give a refusal, never a number.
std::vector<Contrast> contrasts_of(std::span<const Observation> observations, const ContrastOptions& options = {});

}  // namespace graft
