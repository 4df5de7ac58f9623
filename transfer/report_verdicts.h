#pragma once

#include <string>
#include <vector>

#include "transfer/contrast.h"
#include "transfer/recommendation.h"
#include "transfer/report_data.h"

namespace graft {

/// How a study's differences are judged: at the default level, within the margin that it states.
DecisionRule rule_of(const Study& study);

/// A study's contrasts: every treatment against base and the decomposition, judged over all cuts together.
std::vector<Contrast> contrasts_of(const ReportData& data);

/// The mean time that a network of each arm took.
std::vector<ArmCost> costs_of(const ReportData& data);

/// What to use and what that rests on, a text for each group of splits; empty before there is anything to compare.
std::vector<std::string> recommendations_of(const ReportData& data);

/// The arms that they say to use, in the same order; base where it is to be trained anew.
std::vector<Arm> recommended_arms(const ReportData& data);

/// The verdicts with their reasons, and what to use, for a terminal; "" before there is anything to compare.
std::string report_verdicts(const ReportData& data);

}  // namespace graft
