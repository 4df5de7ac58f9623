#include "transfer/figure_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "transfer/figure_gnuplot.h"

namespace graft {
namespace {

/// Whether every tick's stage name fits under it; with a letter 0.62 of the font's size wide and a blank between names.
bool names_fit(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape) {
  std::size_t longest = 0;
  for (const int cut : data.cuts) longest = std::max(longest, stage_name(stages, cut).size());
  const double slot = 0.85 * shape.width / (data.cuts.empty() ? 1.0 : data.cuts.back() + 1.0);
  return (static_cast<double>(longest) + 1.0) * 0.62 * shape.font < slot;
}

std::string cut_ticks(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                      double first) {
  std::vector<std::string> ticks;
  if (first < 0.0) ticks.emplace_back("'base' 0");
  const bool with_names = names_fit(data, stages, shape);
  for (const int cut : data.cuts) {
    const std::string quoted = gnuplot_quoted(stage_name(stages, cut));
    const std::string name = with_names ? fmt::format("\"{}\\n\".{}", cut, quoted) : fmt::format("\"{}\"", cut);
    ticks.push_back(fmt::format("{} {}", name, cut));
  }
  return fmt::format("{}", fmt::join(ticks, ", "));
}

/// A treatment's line under another policy: its hue, another shade, dash, point and place.
TreatmentStyle policy_style(TreatmentStyle style, const std::string& policy) {
  struct Variant {
    const char* policy;
    const char* colour;
    int point;
    int dash;
    double shift;
  };
  static constexpr std::array<Variant, 6> kVariants{{{"lp-ft", "#009e73", 8, 2, 0.06},
                                                     {"gradual", "#b0679a", 10, 3, 0.10},
                                                     {"llrd", "#5e7f9e", 12, 4, 0.14},
                                                     {"l2-sp", "#7a6a00", 14, 5, 0.18},
                                                     {"bn-batch", "#009e73", 9, 3, 0.06},
                                                     {"bn-update", "#b0679a", 11, 4, 0.10}}};
  for (const Variant& variant : kVariants) {
    if (policy == variant.policy) {
      return {variant.colour, variant.point, variant.dash, style.shift + variant.shift};
    }
  }
  return style;
}

}  // namespace

TreatmentStyle style_of(const std::string& label) {
  const std::size_t blank = label.find(' ');
  const std::string treatment = label.substr(0, blank);
  if (blank != std::string::npos) return policy_style(style_of(treatment), label.substr(blank + 1));
  if (treatment == "BnB") return {"#0072b2", 7, 1, -0.12};
  if (treatment == "BnB+") return {"#3d9bd6", 6, 2, -0.04};
  if (treatment == "AnB") return {"#d55e00", 5, 1, 0.04};
  if (treatment == "AnB+") return {"#cc8400", 4, 2, 0.12};
  if (treatment == "random") return {"#8a7fa8", 9, 4, 0.0};
  if (treatment == "probe") return {"#a0522d", 13, 3, 0.0};
  return {"#7d8590", 13, 1, 0.0};
}

std::vector<std::string> drawn_treatments(const ReportData& data) {
  std::vector<std::string> names;
  for (const Method& method : methods_of(data.study)) {
    if (has_cuts(method.treatment)) names.push_back(label_of(method));
  }
  return names;
}

std::string stage_name(const std::vector<std::string>& stages, int cut) {
  return cut >= 1 && static_cast<std::size_t>(cut) <= stages.size() ? stages[static_cast<std::size_t>(cut) - 1] : "";
}

std::string figure_frame(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                         const std::string& name, double first) {
  const int last = data.cuts.empty() ? 0 : data.cuts.back();
  std::string text = fmt::format("set terminal svg size {},{} dynamic noenhanced font 'sans-serif,{}' name '{}'\n",
                                 shape.width, shape.height, shape.font, name);
  text += "set encoding utf8\nset border 3\nset tics nomirror out scale 0.5\nset clip two\nset minussign\n";
  text += "set grid ytics lt 1 lc rgb '#a0888888'\n";
  text += fmt::format("set key outside top center horizontal maxcols {} samplen 2.2\n", shape.width < 600 ? 3 : 6);
  text += fmt::format("set xrange [{}:{}]\nset xtics ({})\n", first, last + 0.4, cut_ticks(data, stages, shape, first));
  // gnuplot counts one line of a tick's label: the second needs room of its own
  const int extra = names_fit(data, stages, shape) ? 1 : 0;
  text += fmt::format("set bmargin {}\nset xlabel 'cut: {} carried over' offset 0,{}\n", 4 + extra,
                      name_of(data.study.cuts_at), -extra);
  return text;
}

}  // namespace graft
