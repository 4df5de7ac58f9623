#pragma once

#include <string>
#include <vector>

#include "transfer/audit.h"
#include "transfer/manifest.h"
#include "transfer/report_data.h"

namespace graft {

/// A figure as SVG to inline, for wide and narrow screens.
struct PageFigure {
  std::string wide;
  std::string narrow;
};

/// What a page says of the splits of one kind, with its figures; one that is empty is left out.
struct PagePart {
  ReportData data;
  PageFigure accuracy;
  PageFigure differences;
};

/// The whole page, of one part or more of the same study.
std::string report_page(const std::vector<PagePart>& parts, const Manifest& manifest);

/// Under the figure of differences: their table, and one of every network.
std::string result_sections(const ReportData& data);
/// What did not train and what failed.
std::string trouble_sections(const ReportData& data);
/// What arms do to single classes or subgroups, "" where no record counts them.
std::string audit_section(AuditBy by, const ReportData& data, const Manifest& manifest);
/// The classes or subgroups that an arm is shown to lose on, "" for none.
std::string audit_warning(AuditBy by, const ReportData& data, const Manifest& manifest, const Arm& arm);
/// On which side of zero a difference is bad news.
enum class Worse { below, above };
/// "+0.0123 &plusmn; 0.0045" that breaks nowhere, marked where the whole interval lies on the worse side of zero.
std::string html_difference(const IntervalEstimate& estimate, Worse worse = Worse::below);
/// Published runs beside the study's own, "" without any.
std::string reference_section(const ReportData& data);
std::string record_sections(const ReportData& data, const Manifest& manifest);

}  // namespace graft
