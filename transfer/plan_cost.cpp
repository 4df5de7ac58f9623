#include "transfer/plan_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
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
  if (flops < 1e12) return fmt::format("{:.2f} GFLOP", flops * 1e-9);
  return flops < 1e15 ? fmt::format("{:.2f} TFLOP", flops * 1e-12) : fmt::format("{:.1f} PFLOP", flops * 1e-15);
}

std::string bytes_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes * 1e-6) : fmt::format("{:.1f} GB", bytes * 1e-9);
}

std::string hours_text(double flops, double teraflops) {
  const double hours = flops / (teraflops * 1e12) / 3600.0;
  return hours < 10.0 ? fmt::format("{:.2g}", hours) : fmt::format("{:.0f}", hours);
}

struct TreatmentCost {
  std::int64_t runs = 0;
  double flops = 0.0;
};

}  // namespace

std::string plan_summary(const Plan& plan, const CostFunction& cost_of, double teraflops) {
  std::vector<std::pair<std::string, TreatmentCost>> treatments;
  double flops = 0.0;
  double bytes = 0.0;
  for (const RunSpec& run : plan.runs) {
    const std::string label = label_of(method_of(run));
    auto entry = std::find_if(treatments.begin(), treatments.end(), [&](const auto& t) { return t.first == label; });
    if (entry == treatments.end()) entry = treatments.insert(entry, {label, {}});
    const RunCost cost = cost_of(run);
    ++entry->second.runs;
    entry->second.flops += cost.flops;
    flops += cost.flops;
    bytes += cost.bytes;
  }
  TextTable table({{"treatment"},
                   {"runs", Align::right},
                   {"one, on average", Align::right},
                   {"all", Align::right},
                   {"GPU-hours", Align::right}});
  for (const auto& [label, cost] : treatments) {
    table.add({label, std::to_string(cost.runs), flops_text(cost.flops / static_cast<double>(cost.runs)),
               flops_text(cost.flops), hours_text(cost.flops, teraflops)});
  }
  table.add({"all", std::to_string(plan.runs.size()), "", flops_text(flops), hours_text(flops, teraflops)});
  std::string text = table.text();
  text += fmt::format(
      "\nGPU-hours: operations of convolutions and matrix products at {:.4g} TFLOP/s sustained, which is "
      "assumed (--tflops)\n",
      teraflops);
  text += fmt::format("disk: {} for the weights of {} runs", bytes_text(bytes), plan.runs.size());
  if (plan.study.feature_cache_mib > 0) {
    text += fmt::format(", and at most {} MiB for cached features", plan.study.feature_cache_mib);
  }
  return text + "\n";
}

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
