#pragma once

#include <string>
#include <vector>

#include "transfer/report_data.h"

namespace graft {

/// A published arm beside one of the study's own.
struct ReferenceArm {
  Arm arm;
  ArmMean mean;
  std::int64_t untrained = 0;   ///< runs in the mean that did not train
  PairedDifference difference;  ///< to the published base; empty for base
};
/// The arms of the study's reference that the study has too, base first; none without a reference.
std::vector<ReferenceArm> reference_arms(const ReportData& data);

/// Appends the published means (dotted, open diamonds, in the hue of their treatment) to a figure's data and plots.
void add_reference_means(const ReportData& data, double left, std::string& blocks, std::vector<std::string>& plots);
/// Appends the published differences to base of `treatments`, with their intervals where they have one.
void add_reference_differences(const ReportData& data, const std::vector<std::string>& treatments, std::string& blocks,
                               std::vector<std::string>& plots);

}  // namespace graft
