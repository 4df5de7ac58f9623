#pragma once

#include <string>
#include <vector>

#include "transfer/report_data.h"

namespace graft {

/// The size that a figure is drawn for, in CSS pixels: text keeps its size where the page shows it at that width.
struct FigureShape {
  int width = 1080;
  int height = 540;
  int font = 15;
};
inline constexpr FigureShape kWideFigure{1080, 540, 15};
inline constexpr FigureShape kNarrowFigure{372, 420, 13};

/// The vertical range of a figure. Runs below are marked at the lower edge.
struct AccuracyRange {
  double low = 0.0;
  double high = 1.0;
};
/// Covers every network that trained, with a margin; of `random`, whose fall would flatten all else, only what lies at
/// most a quarter of the others' range below them.
AccuracyRange accuracy_range(const ReportData& data);
/// Finished networks below the range, in the order of the data.
std::vector<RunResult> runs_below(const ReportData& data, const AccuracyRange& range);

/// Figure 2 of Yosinski et al. 2014: top-1 against cut, a line a treatment through its means, every network a dot, base
/// as a line with the band of its runs. A gnuplot script that writes SVG, titled `name`.
std::string accuracy_script(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                            const std::string& name);

/// Paired differences to base with their intervals, against cut, `random` left out where another treatment is there.
/// "" where no interval is defined.
std::string difference_script(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                              const std::string& name);

}  // namespace graft
