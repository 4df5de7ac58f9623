#include "transfer/report.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "transfer/figure.h"
#include "transfer/figure_gnuplot.h"
#include "transfer/figure_style.h"
#include "transfer/manifest.h"
#include "transfer/report_data.h"
#include "transfer/report_page.h"
#include "transfer/split_group.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using Script = std::string (*)(const ReportData&, const std::vector<std::string>&, const FigureShape&,
                               const std::string&);

/// Draws a figure in both shapes, each also as a file.
PageFigure draw(Script script, const std::string& name, const std::string& label, const ReportData& data,
                const Manifest& manifest, std::map<std::string, std::string>& files) {
  const auto drawn = [&](const FigureShape& shape, const std::string& full_name) -> std::string {
    const std::string text = script(data, manifest.stages, shape, full_name);
    if (text.empty()) return "";
    std::string svg = inline_svg(run_gnuplot(text), full_name, label);
    files[fmt::format("figures/{}.svg", full_name)] = standalone_svg(svg);
    return themed(std::move(svg));
  };
  return {drawn(kWideFigure, name), drawn(kNarrowFigure, name + "_narrow")};
}

}  // namespace

std::map<std::string, std::string> make_report(const fs::path& folder) {
  const Manifest manifest = read_manifest(folder);
  std::vector<ReportData> data = make_report_parts(read_study(folder / "study.yaml"), read_results(folder));
  std::map<std::string, std::string> files;
  std::vector<PagePart> parts;
  for (ReportData& part : data) {
    part.reference = reference_runs(manifest, folder, split_stem(part.splits.front()), data.size() == 1);
    const std::string suffix = parts.empty() ? "" : "_" + part.group;
    PagePart drawn{.data = part, .accuracy = {}, .differences = {}};
    drawn.accuracy = draw(accuracy_script, "accuracy" + suffix, "Top-1 accuracy against the cut, a line a treatment",
                          part, manifest, files);
    drawn.differences = draw(difference_script, "differences" + suffix,
                             "Paired differences to base against the cut, with 95% intervals", part, manifest, files);
    parts.push_back(std::move(drawn));
  }
  files["report.html"] = report_page(parts, manifest);
  return files;
}

void write_report(const fs::path& folder) {
  const std::map<std::string, std::string> files = make_report(folder);
  const fs::path figures = folder / "figures";
  std::error_code code;
  fs::create_directories(figures, code);
  check(!code, "{}: cannot be made: {}", figures.string(), code.message());
  for (const auto& [name, text] : files) write_text_atomically(folder / name, text);
}

}  // namespace graft
