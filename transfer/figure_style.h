#pragma once

#include <string>
#include <vector>

#include "transfer/figure.h"

namespace graft {

/// How a treatment is drawn, everywhere alike. Hues after Okabe and Ito (told apart with any colour vision), in shades
/// that stand out from white and from near-black; frozen treatments full, fine-tuned ones open and dashed.
struct TreatmentStyle {
  const char* colour = "#808080";
  int point = 7;     ///< gnuplot's number
  int dash = 1;      ///< likewise
  double shift = 0;  ///< to the side of the cut, so that equal accuracies do not hide each other
};
/// Of a treatment, or a label_of with its policies.
TreatmentStyle style_of(const std::string& label);

/// The treatments of a study that have a line, in its order.
std::vector<std::string> drawn_treatments(const ReportData& data);

/// Terminal, border, grid, key and the axis of cuts, from the left edge `first`: what all figures share.
std::string figure_frame(const ReportData& data, const std::vector<std::string>& stages, const FigureShape& shape,
                         const std::string& name, double first);

/// "conv4", or "" where the manifest names no such stage.
std::string stage_name(const std::vector<std::string>& stages, int cut);

}  // namespace graft
