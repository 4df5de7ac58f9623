#pragma once

#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/report_data.h"

namespace graft {

/// A figure as SVG to inline, for wide and narrow screens.
struct PageFigure {
  std::string wide;
  std::string narrow;
};

/// The whole page. A figure that is empty is left out.
std::string report_page(const ReportData& data, const Manifest& manifest, const PageFigure& accuracy,
                        const PageFigure& differences);

/// The sections after the figures: tables of differences and failures, settings, provenance, how to make it again.
std::string result_sections(const ReportData& data);
std::string record_sections(const ReportData& data, const Manifest& manifest);

}  // namespace graft
