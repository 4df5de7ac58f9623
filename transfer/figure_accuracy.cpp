#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <vector>

#include "transfer/figure.h"
#include "transfer/figure_gnuplot.h"
#include "transfer/figure_reference.h"
#include "transfer/figure_style.h"

namespace graft {
namespace {

constexpr double kLeftEdge = -0.4;  ///< base's own dots stand at 0

/// Where dot `rank` of `count` of an arm stands beside its cut: the same in every drawing.
double dot_shift(std::size_t rank, std::int64_t count) {
  if (count < 2) return 0.0;
  return 0.06 * (static_cast<double>(rank) / static_cast<double>(count - 1) - 0.5);
}

std::int64_t runs_per_arm(const ReportData& data) { return data.rows.empty() ? 0 : data.rows.front().expected; }

std::string mean_rows(const ReportData& data, const std::string& treatment) {
  std::string rows;
  for (const int cut : data.cuts) {
    const ArmRow* row = data.find_row({treatment, cut});
    if (row == nullptr || row->mean.runs == 0) continue;
    rows += fmt::format("{:.4f} {:.6f}\n", cut + style_of(treatment).shift, row->mean.mean);
  }
  return rows;
}

std::string dot_rows(const ReportData& data, const std::string& treatment, double low) {
  std::string rows;
  std::map<int, std::size_t> ranks;
  for (const RunResult& run : data.finished) {
    if (label_of(run) != treatment) continue;
    const double shift = style_of(treatment).shift + dot_shift(ranks[run.cut]++, runs_per_arm(data));
    if (run.top1 >= low) rows += fmt::format("{:.4f} {:.6f}\n", run.cut + shift, run.top1);
  }
  return rows;
}

/// Of UTF-8.
std::int64_t characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

/// A triangle at the lower edge for every arm with networks below it, and their accuracies above it; higher where the
/// text would lie over another.
struct OffScale {
  std::string triangles;
  std::string labels;
};

OffScale off_scale(const ReportData& data, const AccuracyRange& range, const FigureShape& shape) {
  std::map<std::pair<int, std::string>, std::vector<double>> arms;
  for (const RunResult& run : runs_below(data, range)) arms[{run.cut, label_of(run)}].push_back(run.top1);
  OffScale marks;
  std::vector<double> ends;  // of the text in each row from below, in cuts
  const double cuts = (data.cuts.empty() ? 0 : data.cuts.back()) + 0.4 - kLeftEdge;
  const double character = 0.6 * shape.font * cuts / (shape.width - 8.0 * shape.font);  // over the axis's length
  const double step = (range.high - range.low) / 22.0;
  for (auto& [arm, values] : arms) {
    std::sort(values.begin(), values.end());
    const double x = arm.first + style_of(arm.second).shift;
    std::string text = fmt::format("{:.2f}", values.front());
    if (const std::string highest = fmt::format("{:.2f}", values.back()); highest != text) text += "–" + highest;
    if (values.size() > 3) text = fmt::format("{} × {}", values.size(), text);
    const double half = 0.5 * character * static_cast<double>(characters(text));
    const auto row = std::find_if(ends.begin(), ends.end(), [&](double end) { return end < x - half; });
    const double y = range.low + step * (0.4 + 2.2 * static_cast<double>(row - ends.begin()));
    if (row == ends.end()) {
      ends.push_back(x + half);
    } else {
      *row = x + half;
    }
    marks.triangles +=
        fmt::format("{:.4f} {:.6f} {}\n", x, y, std::stoi(style_of(arm.second).colour() + 1, nullptr, 16));
    marks.labels += fmt::format("set label '{}' at {:.4f},{:.6f} center tc rgb '{}' front\n", text, x, y + step,
                                style_of(arm.second).colour());
  }
  return marks;
}

void base_plots(const ReportData& data, std::string& blocks, std::vector<std::string>& plots) {
  const ArmRow* base = data.find_row({"base", 0});
  if (base == nullptr || base->mean.runs == 0) return;
  const double right = (data.cuts.empty() ? 0 : data.cuts.back()) + 0.4;
  const ArmMean& mean = base->mean;
  blocks += gnuplot_block("band", fmt::format("{} {:.6f} {:.6f}\n{} {:.6f} {:.6f}\n", kLeftEdge, mean.lowest,
                                              mean.highest, right, mean.lowest, mean.highest));
  blocks += gnuplot_block("line", fmt::format("{} {:.6f}\n{} {:.6f}\n", kLeftEdge, mean.mean, right, mean.mean));
  const std::string colour = style_of("base").colour();
  plots.push_back(
      fmt::format("$band u 1:2:3 w filledcurves lc rgb '{}' fs transparent solid 0.18 noborder notitle", colour));
  plots.push_back(fmt::format("$line u 1:2 w l lw 2 lc rgb '{}' title 'base'", colour));
}

void add_dots(const ReportData& data, const std::string& treatment, const std::string& name, double low,
              std::string& blocks, std::vector<std::string>& plots) {
  const std::string rows = dot_rows(data, treatment, low);
  if (rows.empty()) return;
  const TreatmentStyle style = style_of(treatment);
  blocks += gnuplot_block(name, rows);
  const double size = runs_per_arm(data) > 8 ? 0.4 : 0.6;
  plots.push_back(
      fmt::format("${} u 1:2 w p pt {} ps {} lw 1.4 lc rgb '{}' notitle", name, style.point, size, style.colour()));
}

}  // namespace

AccuracyRange accuracy_range(const ReportData& data) {
  double low = 1.0;
  double high = 0.0;
  const auto widen = [&](const RunResult& run) {
    low = std::min(low, run.top1);
    high = std::max(high, run.top1);
  };
  std::vector<RunResult> others;
  std::copy_if(data.finished.begin(), data.finished.end(), std::back_inserter(others),
               [&](const RunResult& run) { return run.treatment != "random" && !data.is_untrained(run); });
  for (const RunResult& run : others.empty() ? data.finished : others) widen(run);
  if (low > high) return {0.0, 1.0};
  const double tolerated = low - 0.25 * (high - low);
  for (const RunResult& run : data.finished) {
    if (run.top1 >= tolerated) widen(run);
  }
  for (const ReferenceArm& arm : reference_arms(data)) {
    low = std::min(low, arm.arm.treatment == "random" ? low : arm.mean.mean);
    high = std::max(high, arm.mean.mean);
  }
  const double margin = std::max(0.01, 0.08 * (high - low));
  return {std::max(0.0, low - margin), std::min(1.0, high + margin)};
}

std::vector<RunResult> runs_below(const ReportData& data, const AccuracyRange& range) {
  std::vector<RunResult> below;
  std::copy_if(data.finished.begin(), data.finished.end(), std::back_inserter(below),
               [&](const RunResult& run) { return run.top1 < range.low; });
  return below;
}

std::string accuracy_script(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                            const std::string& name) {
  const AccuracyRange range = accuracy_range(data);
  std::string blocks;
  std::vector<std::string> plots;
  base_plots(data, blocks, plots);
  int number = 0;
  for (const std::string& treatment : drawn_treatments(data)) {
    const std::string rows = mean_rows(data, treatment);
    if (rows.empty()) continue;
    const TreatmentStyle style = style_of(treatment);
    const std::string mean_name = fmt::format("mean{}", ++number);
    blocks += gnuplot_block(mean_name, rows);
    plots.push_back(
        fmt::format("${} u 1:2 w l lw 2.2 dt {} lc rgb '{}' notitle", mean_name, style.dash, style.colour()));
    plots.push_back(fmt::format("NaN w lp lw 2.2 dt {} pt {} ps 0.7 lc rgb '{}' title '{}'", style.dash, style.point,
                                style.colour(), treatment));
    add_dots(data, treatment, fmt::format("dots{}", number), range.low, blocks, plots);
  }
  add_reference_means(data, kLeftEdge, blocks, plots);
  add_dots(data, "base", "basedots", range.low, blocks, plots);
  const OffScale marks = off_scale(data, range, shape);
  if (!marks.triangles.empty()) {
    blocks += gnuplot_block("below", marks.triangles);
    plots.emplace_back("$below u 1:2:3 w p pt 11 ps 1 lc rgb variable notitle");
  }
  if (plots.empty()) plots.emplace_back("NaN notitle");
  std::string script = figure_frame(data, stages, shape, name, kLeftEdge);
  script +=
      fmt::format("set yrange [{:.6f}:{:.6f}]\nset format y '%.2f'\nset ylabel 'top-1 accuracy on the target half'\n",
                  range.low, range.high);
  return script + marks.labels + blocks + fmt::format("plot {}\n", fmt::join(plots, ", \\\n     "));
}

}  // namespace graft
