#pragma once

#include <string>
#include <vector>

#include "transfer/report_data.h"

namespace graft {

/// What the results say, in plain words and derived from them alone.
struct ReportSummary {
  std::string in_short;                ///< one or two sentences
  std::vector<std::string> sentences;  ///< a treatment or a reservation each
};

/// `stages` are the names of the model's stages.
ReportSummary summarize(const ReportData& data, const std::vector<std::string>& stages);

}  // namespace graft
