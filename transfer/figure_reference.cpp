#include "transfer/figure_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "transfer/figure_gnuplot.h"
#include "transfer/figure_style.h"

namespace graft {
namespace {

constexpr const char* kLine = "w l lw 1 dt 3";
constexpr const char* kPoint = "pt 12 ps 0.9 lw 1.2";

/// One entry of the key for all of them: hues say the treatment.
void add_key(std::vector<std::string>& plots) {
  plots.push_back(
      fmt::format("NaN w lp lw 1 dt 3 {} lc rgb '{}' title 'published'", "pt 12 ps 0.9", style_of("base").colour()));
}

/// Draws rows of x, y and, where there is one, half-width of an arm after another.
void add_lines(const std::map<std::string, std::string>& rows, const std::string& prefix, std::string& blocks,
               std::vector<std::string>& plots) {
  int number = 0;
  for (const auto& [treatment, text] : rows) {
    const std::string name = fmt::format("{}{}", prefix, ++number);
    const std::string colour = style_of(treatment).colour();
    blocks += gnuplot_block(name, text);
    plots.push_back(fmt::format("${} u 1:2 {} lc rgb '{}' notitle", name, kLine, colour));
    plots.push_back(fmt::format("${} u 1:2:3 w yerrorbars {} lc rgb '{}' notitle", name, kPoint, colour));
  }
  if (number > 0) add_key(plots);
}

}  // namespace

std::vector<ReferenceArm> reference_arms(const ReportData& data) {
  std::vector<ReferenceArm> arms;
  if (!data.reference) return arms;
  const std::vector<Observation>& runs = data.reference->observations;
  for (const ArmRow& row : data.rows) {
    const ArmMean mean = arm_mean(runs, row.arm);
    if (mean.runs == 0) continue;
    const auto untrained = std::count_if(runs.begin(), runs.end(),
                                         [&](const Observation& o) { return belongs(o, row.arm) && !o.trained; });
    arms.push_back({row.arm, mean, untrained, {}});
    if (row.arm.treatment != "base") arms.back().difference = paired_difference(runs, row.arm, data.reference->unit);
  }
  return arms;
}

void add_reference_means(const ReportData& data, double left, std::string& blocks, std::vector<std::string>& plots) {
  std::map<std::string, std::string> rows;
  for (const ReferenceArm& arm : reference_arms(data)) {
    if (arm.arm.cut > 0) {
      rows[arm.arm.treatment] +=
          fmt::format("{:.4f} {:.6f} 0\n", arm.arm.cut + style_of(arm.arm.treatment).shift, arm.mean.mean);
    } else if (arm.arm.treatment == "base") {
      const double right = (data.cuts.empty() ? 0 : data.cuts.back()) + 0.4;
      blocks +=
          gnuplot_block("refbase", fmt::format("{} {:.6f}\n{} {:.6f}\n", left, arm.mean.mean, right, arm.mean.mean));
      plots.push_back(fmt::format("$refbase u 1:2 {} lc rgb '{}' notitle", kLine, style_of("base").colour()));
    }
  }
  add_lines(rows, "ref", blocks, plots);
}

void add_reference_differences(const ReportData& data, const std::vector<std::string>& treatments, std::string& blocks,
                               std::vector<std::string>& plots) {
  std::map<std::string, std::string> rows;
  for (const ReferenceArm& arm : reference_arms(data)) {
    const IntervalEstimate& estimate = arm.difference.difference;
    const bool drawn = std::find(treatments.begin(), treatments.end(), arm.arm.treatment) != treatments.end();
    if (!drawn || estimate.units == 0) continue;
    rows[arm.arm.treatment] +=
        fmt::format("{:.4f} {:.6f} {:.6f}\n", arm.arm.cut + 1.5 * style_of(arm.arm.treatment).shift + 0.04,
                    estimate.mean, estimate.half_width.value_or(0.0));
  }
  add_lines(rows, "ref", blocks, plots);
}

}  // namespace graft
