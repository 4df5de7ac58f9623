#include "transfer/figure_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

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

constexpr ThemeColour kOther{"other", "#767d87", "#c9ced6"};

/// Of treatments: lightness tells them apart where hue does not.
constexpr std::array<std::pair<const char*, TreatmentStyle>, 6> kTreatments{
    {{"BnB", {{"bnb", "#0a3a78", "#4f7df0"}, 7, "1", -0.12}},
     {"BnB+", {{"bnb-tuned", "#2e95e8", "#4fbcff"}, 6, "2", -0.04}},
     {"AnB", {{"anb", "#a63a0a", "#e06a25"}, 5, "1", 0.04}},
     {"AnB+", {{"anb-tuned", "#c98500", "#ffb81c"}, 4, "2", 0.12}},
     {"random", {{"random", "#6f3fa0", "#a06bb0"}, 9, "4", 0.0}},
     {"probe", {{"probe", "#161a20", "#f4f6e8"}, 12, "3", 0.0}}}};

struct Mark {
  int point;
  const char* dash;
};

/// A treatment's line under another policy: another mark and place; of layers from the other half, which a study is
/// about, another hue too.
struct PolicyStyle {
  const char* policy;
  ThemeColour theme;
  Mark mark;   ///< of layers from the other half
  Mark other;  ///< of others
  double shift;
};
constexpr std::array<PolicyStyle, 6> kPolicies{
    {{"lp-ft", {"lp-ft", "#007a58", "#25c795"}, {8, "3"}, {1, "4"}, 0.06},
     {"gradual", {"gradual", "#a8578f", "#d98fc4"}, {10, "4"}, {2, "'__.'"}, 0.10},
     {"llrd", {"llrd", "#557390", "#8fb0d0"}, {12, "5"}, {3, "'_..'"}, 0.14},
     {"l2-sp", {"l2-sp", "#6b5d00", "#c4b13a"}, {14, "'_..'"}, {15, "'-_.'"}, 0.18},
     {"bn-batch", {"bn-batch", "#007a58", "#25c795"}, {9, "'-..'"}, {13, "'.-'"}, 0.06},
     {"bn-update", {"bn-update", "#a8578f", "#d98fc4"}, {11, "'--.'"}, {15, "'_.'"}, 0.10}}};

TreatmentStyle policy_style(const std::string& treatment, TreatmentStyle style, const std::string& policy) {
  for (const PolicyStyle& known : kPolicies) {
    if (policy != known.policy) continue;
    const bool transfers = treatment.starts_with("AnB");
    const Mark& mark = transfers ? known.mark : known.other;
    return {transfers ? known.theme : style.theme, mark.point, mark.dash, style.shift + known.shift};
  }
  return style;
}

/// As gnuplot writes "#0072b2": "rgb(  0, 114, 178)" for lines, "rgb(0,114,178)" for text.
std::array<std::string, 2> as_drawn(const char* colour) {
  const int rgb = std::stoi(colour + 1, nullptr, 16);
  const int red = rgb >> 16, green = rgb >> 8 & 0xff, blue = rgb & 0xff;
  return {fmt::format("rgb({:3}, {:3}, {:3})", red, green, blue), fmt::format("rgb({},{},{})", red, green, blue)};
}

std::vector<ThemeColour> theme_colours() {
  std::vector<ThemeColour> colours{kOther};
  for (const auto& [name, style] : kTreatments) colours.push_back(style.theme);
  for (const PolicyStyle& policy : kPolicies) colours.push_back(policy.theme);
  return colours;
}

}  // namespace

TreatmentStyle style_of(const std::string& label) {
  const std::size_t blank = label.find(' ');
  const std::string treatment = label.substr(0, blank);
  TreatmentStyle style{kOther, 13, "1", 0.0};
  for (const auto& [name, known] : kTreatments) {
    if (treatment == name) style = known;
  }
  return blank == std::string::npos ? style : policy_style(treatment, style, label.substr(blank + 1));
}

std::string TreatmentStyle::css() const { return fmt::format("var(--{})", theme.name); }

std::string themed(std::string svg) {
  for (const ThemeColour& colour : theme_colours()) {
    for (const std::string& drawn : as_drawn(colour.light)) {
      replace_all(svg, drawn, fmt::format("var(--{})", colour.name));
    }
  }
  return svg;
}

std::string theme_style() {
  std::string light;
  std::string dark;
  for (const ThemeColour& colour : theme_colours()) {
    light += fmt::format(" --{}: {};", colour.name, colour.light);
    dark += fmt::format(" --{}: {};", colour.name, colour.dark);
  }
  return fmt::format(":root {{{} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{} }} }}\n", light,
                     dark);
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
