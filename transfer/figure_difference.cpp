#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "transfer/figure.h"
#include "transfer/figure_reference.h"
#include "transfer/figure_style.h"

namespace graft {
namespace {

/// Rows "x difference half-width" of the cuts whose interval is defined.
std::string interval_rows(const ReportData& data, const std::string& treatment) {
  std::string rows;
  for (const int cut : data.cuts) {
    const ArmRow* row = data.find_row({treatment, cut});
    if (row == nullptr || !row->difference.difference.half_width) continue;
    const IntervalEstimate& estimate = row->difference.difference;
    rows += fmt::format("{:.4f} {:.6f} {:.6f}\n", cut + 1.5 * style_of(treatment).shift, estimate.mean,
                        *estimate.half_width);
  }
  return rows;
}

std::vector<std::string> compared_treatments(const ReportData& data) {
  std::vector<std::string> treatments = drawn_treatments(data);
  if (treatments.size() > 1) std::erase(treatments, "random");
  return treatments;
}

}  // namespace

std::string difference_script(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                              const std::string& name) {
  std::string blocks;
  std::vector<std::string> plots;
  for (const std::string& treatment : compared_treatments(data)) {
    const std::string rows = interval_rows(data, treatment);
    if (rows.empty()) continue;
    const TreatmentStyle style = style_of(treatment);
    const std::string block = fmt::format("arm{}", plots.size());
    blocks += fmt::format("${} << EOD\n{}EOD\n", block, rows);
    plots.push_back(fmt::format("${} u 1:2 w l lw 1.2 dt {} lc rgb '{}' notitle", block, style.dash, style.colour()));
    plots.push_back(fmt::format("${} u 1:2:3 w yerrorbars pt {} ps 0.8 lw 1.8 lc rgb '{}' title '{}'", block,
                                style.point, style.colour(), treatment));
  }
  if (plots.empty()) return "";
  add_reference_differences(data, compared_treatments(data), blocks, plots);
  std::string script = figure_frame(data, stages, shape, name, 0.6);
  script += "set format y '%+.2f'\nset ylabel 'difference to base, 95% interval'\nset offsets 0, 0, 0.005, 0.005\n";
  script += fmt::format("set arrow from graph 0, first 0 to graph 1, first 0 nohead lw 2 lc rgb '{}' back\n",
                        style_of("base").colour());
  return script + blocks + fmt::format("plot {}\n", fmt::join(plots, ", \\\n     "));
}

}  // namespace graft
