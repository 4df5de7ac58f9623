#include <fmt/format.h>

#include "transfer/report.h"
#include "transfer/report_data.h"
#include "transfer/report_verdicts.h"
#include "transfer/text_table.h"

namespace graft {
namespace {

std::string note_of(const ArmRow& row) {
  std::vector<std::string> notes;
  if (row.untrained > 0) {
    std::string note = fmt::format("{} did not train", row.untrained);
    if (row.trained_mean.runs > 0) note += fmt::format(" (without: {:.4f})", row.trained_mean.mean);
    notes.push_back(std::move(note));
  }
  if (row.failed > 0) notes.push_back(fmt::format("{} failed", row.failed));
  const std::int64_t missing = row.expected - row.mean.runs - row.failed;
  if (missing > 0) notes.push_back(fmt::format("{} not run yet", missing));
  return fmt::format("{}", fmt::join(notes, ", "));
}

void add_row(TextTable& table, const ArmRow& row) {
  const bool is_base = row.arm.treatment == "base";
  const bool any = row.mean.runs > 0;
  table.add({row.arm.treatment, is_base ? "-" : std::to_string(row.arm.cut), std::to_string(row.mean.runs),
             any ? fmt::format("{:.4f}", row.mean.mean) : "-",
             any ? fmt::format("{:.4f} - {:.4f}", row.mean.lowest, row.mean.highest) : "-",
             is_base ? "-" : text_of(row.difference.difference),
             is_base ? "-" : std::to_string(row.difference.difference.units), note_of(row)});
}

std::string part_table(const ReportData& data) {
  TextTable table({{"treatment"},
                   {"cut", Align::right},
                   {"runs", Align::right},
                   {"top1", Align::right},
                   {"lowest - highest", Align::right},
                   {"difference to base", Align::right},
                   {"n", Align::right},
                   {"note"}});
  for (const ArmRow& row : data.rows) add_row(table, row);
  const std::string title =
      data.group.empty() ? data.study.name : fmt::format("{}, splits {}", data.study.name, data.group);
  std::string text =
      fmt::format("{}: top-1 accuracy on the target half, and paired differences to base\n\n{}\n", title, table.text());
  text += fmt::format("difference to base: mean and 95% t interval over n, each a {}{}\n", name_of(data.unit),
                      data.unit == PairUnit::seed ? "; it speaks for this split only" : "");
  text += report_verdicts(data);
  for (const auto& [run, reason] : data.untrained) {
    text += fmt::format("did not train: {} {} cut {} target {} seed {}: {}\n", run.id, run.treatment, run.cut,
                        run.target, run.seed, reason);
  }
  for (const RunResult& run : data.failed) {
    text += fmt::format("failed: {} {} cut {} target {} seed {}: {}\n", run.id, run.treatment, run.cut, run.target,
                        run.seed, run.error);
  }
  return text;
}

}  // namespace

std::string report_table(const Study& study, const std::vector<RunResult>& results) {
  std::string text;
  for (const ReportData& part : make_report_parts(study, results)) {
    if (!text.empty()) text += "\n";
    text += part_table(part);
  }
  return text;
}

}  // namespace graft
