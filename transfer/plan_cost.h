#pragma once

#include <functional>
#include <set>
#include <string>

#include "transfer/plan.h"

namespace graft {

/// What one run costs.
struct RunCost {
  double flops = 0.0;    ///< floating-point operations of training and testing, a multiply-add counted as two
  double seconds = 0.0;  ///< on one worker; 0: unknown
  double bytes = 0.0;    ///< of the weights that it leaves
};
using CostFunction = std::function<RunCost(const RunSpec&)>;

/// The plan as aligned text: a line a run (id, treatment, cut, split, source, target, seed, what it waits for, cost),
/// those in `done` marked, then totals of what is left and, where seconds are known, its time with `jobs` workers.
std::string plan_table(const Plan& plan, const CostFunction& cost_of, int jobs, const std::set<std::string>& done = {});

/// What a whole plan asks of machines: a line a treatment (runs, cost of one on average and of all, GPU-hours at
/// `teraflops` sustained), then totals, and the disk that weights and, at most, the feature cache take.
std::string plan_summary(const Plan& plan, const CostFunction& cost_of, double teraflops);

}  // namespace graft
