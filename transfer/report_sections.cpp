#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "transfer/figure_style.h"
#include "transfer/html.h"
#include "transfer/report_page.h"

namespace graft {
namespace {

using Cells = std::vector<std::string>;

std::string treatment_cell(const std::string& treatment) {
  return fmt::format("<span class=\"swatch\" style=\"background:{}\"></span>{}", style_of(treatment).css(),
                     html_escape(treatment));
}

std::string row_note(const ArmRow& row) {
  Cells notes;
  if (row.untrained > 0) notes.push_back(fmt::format("{} did not train", row.untrained));
  if (row.failed > 0) notes.push_back(fmt::format("{} failed", row.failed));
  const std::int64_t missing = row.expected - row.mean.runs - row.failed;
  if (missing > 0) notes.push_back(fmt::format("{} not run", missing));
  return fmt::format("{}", fmt::join(notes, ", "));
}

/// Cells of an arm; `who` names it, the figures may be of a part of its networks.
Cells arm_cells(const ArmRow& row, const std::string& who, const ArmMean& mean, const PairedDifference& difference) {
  const bool base = row.arm.treatment == "base";
  const bool any = mean.runs > 0;
  return {who,
          base ? "" : std::to_string(row.arm.cut),
          base ? "" : html_difference(difference.difference),
          base ? "" : std::to_string(difference.difference.units),
          any ? fmt::format("{:.4f}", mean.mean) : "",
          any ? fmt::format("{:.4f} &ndash; {:.4f}", mean.lowest, mean.highest) : "",
          std::to_string(mean.runs)};
}

std::string difference_table(const ReportData& data) {
  std::vector<Cells> rows;
  for (const ArmRow& row : data.rows) {
    const std::string name = treatment_cell(row.arm.treatment);
    rows.push_back(arm_cells(row, name, row.mean, row.difference));
    rows.back().push_back(row_note(row));
    if (row.untrained == 0 || row.trained_mean.runs == 0) continue;
    rows.push_back(arm_cells(row, name, row.trained_mean, row.trained_difference));
    rows.back().emplace_back("those that trained");
  }
  Cells headings{"treatment", "cut", "difference to base, 95%", "n", "mean top-1", "lowest &ndash; highest",
                 "runs",      ""};
  if (std::all_of(rows.begin(), rows.end(), [](const Cells& cells) { return cells.back().empty(); })) {
    headings.pop_back();
    for (Cells& cells : rows) cells.pop_back();
  }
  return html_table(headings, rows, {1, 2, 3, 4, 5, 6});
}

Cells run_cells(const RunResult& run) {
  return {"<code>" + html_escape(run.id) + "</code>",
          treatment_cell(run.treatment),
          std::to_string(run.cut),
          html_escape(run.split),
          html_escape(run.source),
          html_escape(run.target),
          std::to_string(run.seed)};
}

const Cells kRunHeadings{"run", "treatment", "cut", "split", "source", "target", "seed"};

/// `more` gives the cells under `headings`; the cut and columns from the seed to `first_text` are numbers.
template <class More>
std::string run_table(const std::vector<RunResult>& runs, const Cells& headings, std::size_t first_text, More more) {
  Cells all = kRunHeadings;
  all.insert(all.end(), headings.begin(), headings.end());
  std::vector<Cells> rows;
  for (const RunResult& run : runs) {
    Cells cells = run_cells(run);
    for (std::string& cell : more(run)) cells.push_back(std::move(cell));
    rows.push_back(std::move(cells));
  }
  std::set<std::size_t> numbers{2};
  for (std::size_t c = kRunHeadings.size() - 1; c < first_text; ++c) numbers.insert(c);
  return html_table(all, rows, numbers);
}

std::string untrained_section(const ReportData& data) {
  std::string text = "<h2>What did not train</h2>\n<p>" + html_escape(untrained_rule()) + "</p>\n";
  if (data.untrained.empty()) return text + "<p>Every finished network trained.</p>\n";
  std::vector<RunResult> runs;
  for (const UntrainedRun& untrained : data.untrained) runs.push_back(untrained.run);
  std::size_t next = 0;
  return text + run_table(runs, {"top-1", "why"}, 8, [&](const RunResult& run) {
           return Cells{fmt::format("{:.4f}", run.top1), html_escape(data.untrained[next++].reason)};
         });
}

std::string failed_section(const ReportData& data) {
  if (data.failed.empty()) return "";
  return "<h2>What failed</h2>\n<p>These networks ended with an error; running the study again tries them "
         "again.</p>\n" +
         run_table(data.failed, {"error"}, 7, [](const RunResult& run) { return Cells{html_escape(run.error)}; });
}

std::string all_runs(const ReportData& data) {
  std::vector<RunResult> runs = data.source_bases;
  runs.insert(runs.end(), data.finished.begin(), data.finished.end());
  const auto figures = [](const RunResult& run) {
    return Cells{fmt::format("{:.4f}", run.top1), fmt::format("{} of {}", run.correct, run.n_test),
                 fmt::format("{:.4f}", run.train_loss), fmt::format("{:.1f}", run.seconds)};
  };
  return fmt::format("<details><summary>Every network ({})</summary>\n{}</details>\n", runs.size(),
                     run_table(runs, {"top-1", "correct", "training loss", "seconds"}, 11, figures));
}

}  // namespace

std::string html_difference(const IntervalEstimate& estimate, Worse worse) {
  if (!estimate.half_width) return "not enough pairs";
  const std::string text = fmt::format("{}{:.4f}&nbsp;&plusmn;&nbsp;{:.4f}", estimate.mean < 0.0 ? "&minus;" : "+",
                                       std::abs(estimate.mean), *estimate.half_width);
  const double sign = worse == Worse::below ? 1.0 : -1.0;
  return sign * estimate.mean + *estimate.half_width < 0.0 ? "<span class=\"below\">" + text + "</span>" : text;
}

std::string result_sections(const ReportData& data) {
  std::string text = difference_table(data);
  text += "<p class=\"note\">" + html_escape(interval_rule(data)) +
          " Differences whose whole interval lies below zero stand out.</p>\n";
  return text + all_runs(data);
}

std::string trouble_sections(const ReportData& data) { return untrained_section(data) + failed_section(data); }

}  // namespace graft
