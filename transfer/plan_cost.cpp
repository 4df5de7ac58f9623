#include "transfer/plan_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "transfer/text_table.h"

namespace graft {
namespace {

std::string seconds_text(double seconds) {
  if (seconds < 120.0) return fmt::format("{:.0f} s", std::ceil(seconds));
  if (seconds < 7200.0) return fmt::format("{:.0f} min", std::ceil(seconds / 60.0));
  return fmt::format("{:.1f} h", seconds / 3600.0);
}

std::string flops_text(double flops) {
  return flops < 1e12 ? fmt::format("{:.2f} GFLOP", flops * 1e-9) : fmt::format("{:.2f} TFLOP", flops * 1e-12);
}

}  // namespace

std::string plan_table(const Plan& plan, const CostFunction& cost_of, int jobs, const std::set<std::string>& done) {
  TextTable table({{"run"},
                   {"treatment"},
                   {"cut", Align::right},
                   {"split"},
                   {"source"},
                   {"target"},
                   {"seed", Align::right},
                   {"after"},
                   {"cost", Align::right},
                   {"seconds", Align::right},
                   {""}});
  RunCost left;
  std::size_t open = 0;
  bool timed = true;
  for (const RunSpec& run : plan.runs) {
    const RunCost cost = cost_of(run);
    const bool is_done = done.contains(run.id);
    table.add({run.id, name_of(run.treatment), std::to_string(run.cut), run.split.name, run.source, run.target,
               std::to_string(run.seed), run.depends_on.empty() ? "-" : run.depends_on, flops_text(cost.flops),
               cost.seconds > 0.0 ? fmt::format("{:.1f}", cost.seconds) : "-", is_done ? "done" : ""});
    if (is_done) continue;
    ++open;
    left.flops += cost.flops;
    left.seconds += cost.seconds;
    timed = timed && cost.seconds > 0.0;
  }
  std::string text = table.text();
  text += fmt::format("\n{} runs, {} done, {} to do: {}", plan.runs.size(), plan.runs.size() - open, open,
                      flops_text(left.flops));
  if (timed && open > 0) {
    text += fmt::format(", about {} with {} at a time", seconds_text(left.seconds / std::max(jobs, 1)), jobs);
  }
  return text + "\n";
}

}  // namespace graft
