#pragma once

#include <string>
#include <vector>

#include "transfer/figure.h"

namespace graft {

/// A colour of figures in both themes of the page: each stands out from its theme's background.
struct ThemeColour {
  const char* name;   ///< of the CSS variable --NAME
  const char* light;  ///< what gnuplot draws, too
  const char* dark;
};

/// How a treatment is drawn, everywhere alike. Hues after Okabe and Ito, the treatments' in lightnesses so far apart
/// that they are told apart with any colour vision; frozen treatments full, fine-tuned ones open and dashed. Two labels
/// of such colours that could be confused differ in point and dash.
struct TreatmentStyle {
  ThemeColour theme{"other", "#767d87", "#c9ced6"};
  int point = 7;           ///< gnuplot's number
  const char* dash = "1";  ///< gnuplot's number, or a pattern in quotes
  double shift = 0;        ///< to the side of the cut, so that equal accuracies do not hide each other

  const char* colour() const { return theme.light; }
  /// "var(--bnb)".
  std::string css() const;
};
/// Of a treatment, or a label_of with its policies.
TreatmentStyle style_of(const std::string& label);

/// A figure whose colours follow the page's theme in place of the light one's.
std::string themed(std::string svg);
/// The variables that it needs, for both themes.
std::string theme_style();

/// The treatments of a study that have a line, in its order.
std::vector<std::string> drawn_treatments(const ReportData& data);

/// Terminal, border, grid, key and the axis of cuts, from the left edge `first`: what all figures share.
std::string figure_frame(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                         const std::string& name, double first);

/// "conv4", or "" where the manifest names no such stage.
std::string stage_name(const std::vector<std::string>& stages, int cut);

}  // namespace graft
