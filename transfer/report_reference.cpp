#include <fmt/format.h>

#include <cmath>

#include "transfer/figure_reference.h"
#include "transfer/html.h"
#include "transfer/report_page.h"

namespace graft {
namespace {

std::string signed_number(double value) {
  return fmt::format("{}{:.4f}", value < 0.0 ? "&minus;" : "+", std::abs(value));
}

std::string difference_cell(const IntervalEstimate& estimate) {
  if (estimate.units == 0) return "no common pair";
  if (!estimate.half_width) return signed_number(estimate.mean);
  return fmt::format("{}&nbsp;&plusmn;&nbsp;{:.4f}", signed_number(estimate.mean), *estimate.half_width);
}

}  // namespace

std::string reference_section(const ReportData& data) {
  const std::vector<ReferenceArm> arms = reference_arms(data);
  if (arms.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const ReferenceArm& arm : arms) {
    const ArmRow* own = data.find_row(arm.arm);
    const bool base = arm.arm.cut == 0;
    const bool ran = own != nullptr && own->mean.runs > 0;
    rows.push_back(
        {html_escape(arm.arm.treatment), base ? "" : std::to_string(arm.arm.cut), fmt::format("{:.4f}", arm.mean.mean),
         std::to_string(arm.mean.runs), base ? "" : difference_cell(arm.difference.difference),
         base ? "" : std::to_string(arm.difference.difference.units), ran ? fmt::format("{:.4f}", own->mean.mean) : "",
         ran && !base ? difference_cell(own->difference.difference) : "",
         arm.untrained > 0 ? fmt::format("{} of the published did not train", arm.untrained) : ""});
  }
  return "<h2>Beside published results</h2>\n<p>From " + html_escape(data.reference->source) + " (<code>" +
         html_escape(data.reference->file) +
         "</code>, kept in this folder as <code>reference.csv</code>), paired and counted as this study&#39;s own; in "
         "the "
         "figures dotted, with open diamonds. These networks were trained elsewhere: only differences to their own "
         "base say something about transfer.</p>\n" +
         html_table({"treatment", "cut", "published top-1", "runs", "difference to base, 95%", "n", "here, top-1",
                     "here, difference", ""},
                    rows, {1, 2, 3, 4, 5, 6, 7});
}

}  // namespace graft
