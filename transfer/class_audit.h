#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/report_data.h"

namespace graft {

/// The classes that a network was tested on, in the order of its record's counts. Throws Error(data) naming the run if
/// it counts another number of classes than its half of the manifest has.
const std::vector<std::string>& target_classes(const RunResult& run, const Manifest& manifest);

/// What an arm does to one class.
struct ClassEffect {
  std::string name;
  double base = 0.0;            ///< accuracy on its images: mean of the base networks that are paired
  double treated = 0.0;         ///< likewise of the arm's
  IntervalEstimate difference;  ///< treated - base, paired, over the study's units
  bool loses() const { return difference.half_width && difference.mean + *difference.half_width < 0.0; }
};

/// An arm against base, class by class.
struct ArmAudit {
  ArmRow row;
  double level = 0.95;               ///< of each class's interval
  std::vector<ClassEffect> classes;  ///< the largest loss first

  /// Class accuracy: {lowest, highest} of the classes' means.
  std::array<double, 2> base_range() const;
  std::array<double, 2> treated_range() const;
  /// A class's loss is shown, and one of the mean over all classes is not.
  bool hides_a_loss() const;
};

/// Every arm but base, in the report's order. Intervals are at 1 - 0.05 / C, so that all C classes of an arm hold
/// together (Bonferroni). Networks that did not train, and records without counts by class, are left out; an arm
/// without a pair has no classes. Throws Error(data) as target_classes.
std::vector<ArmAudit> audit_classes(const ReportData& data, const Manifest& manifest);

}  // namespace graft
