#include <fmt/format.h>

#include <memory>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/io/sha256.h"
#include "tools/backends.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/study_costs.h"
#include "tools/study_flags.h"
#include "transfer/policy_search.h"
#include "transfer/search_budget.h"
#include "transfer/search_report.h"

// `graft study recommend STUDY`: what to carry over to the study's target, found on its training images alone.
namespace graft {
namespace {

namespace fs = std::filesystem;

struct RecommendFlags {
  StudyFlags study;
  std::string budget;
  std::string split;
  int eta = 3;
  std::int64_t min_epochs = 0;
  SearchShares shares;
  bool json = false;
};

void check_shares(const SearchShares& shares) {
  for (const auto& [flag, share] : {std::pair{"--validation", shares.validation}, {"--held-out", shares.held_out}}) {
    if (share > 0.0 && share < 1.0) continue;
    fail(ErrorKind::usage, "{} is {}: a fraction between 0 and 1 is wanted, such as 0.2", flag, share);
  }
  if (shares.validation + shares.held_out < 1.0) return;
  fail(ErrorKind::usage, "--validation {} and --held-out {} leave nothing to train on: their sum must be below 1",
       shares.validation, shares.held_out);
}

/// A search goes on in its own folder; the results of a study stay what they are.
fs::path search_folder(const StudyFlags& flags, const RunnerOptions& resolved) {
  if (!flags.output.empty() || holds_search(resolved.folder)) return resolved.folder;
  const Study study = parse_study(resolved.study_text, resolved.study_file);
  return fs::path("runs") / (study.name + "-recommend");
}

RunnerOptions runner_options(const StudyFlags& flags, const CommandContext& context) {
  RunnerOptions options = resolve_study(flags);
  options.folder = search_folder(flags, options);
  options.binary = sha256_file("/proc/self/exe");
  options.versions = library_versions();
  options.device_name = processor_name();
  options.command_line = context.command_line;
  options.stop = &catch_interrupts();
  return options;
}

/// Seconds an operation, from a few steps that are measured now; 0 where those would take seconds themselves.
double measured_rate(const PreparedStudy& prepared, Backend& backend, bool feature_cache) {
  const RunCost cost = study_costs(prepared, backend, feature_cache)(prepared.plan.runs.front());
  return cost.flops > 0.0 ? cost.seconds / cost.flops : 0.0;
}

int recommend_policy(const RecommendFlags& flags, const CommandContext& context) {
  check_shares(flags.shares);
  SearchOptions options;
  if (!flags.budget.empty()) options.budget = seconds_from_text(flags.budget, "--budget");
  options.shares = flags.shares;
  options.eta = flags.eta;
  options.least = flags.min_epochs;
  options.split = flags.split;
  options.runner = runner_options(flags.study, context);
  const PreparedStudy prepared = prepare_study(options.runner);
  const std::unique_ptr<Backend> backend = backend_registry().make(options.runner.device, options.runner.backend);
  options.costs = [&](const PreparedStudy& phase) {
    return study_costs(phase, *backend, options.runner.feature_cache, false);
  };
  if (options.budget) options.seconds_per_flop = measured_rate(prepared, *backend, options.runner.feature_cache);
  const SearchOutcome outcome = search_policies(options, prepared);
  if (outcome.interrupted) {
    fail(ErrorKind::interrupted, "interrupted; {} networks are done; go on with: {}", outcome.done,
         shell_line(context.command_line));
  }
  fmt::print("{}", flags.json ? search_json(outcome) : search_text(outcome));
  return 0;
}

}  // namespace

void add_study_recommend(CLI::App& study, CommandContext& context) {
  CLI::App* command = study.add_subcommand("recommend", "search what to carry over to the target, within a time");
  auto flags = std::make_shared<RecommendFlags>();
  add_study_flags(*command, flags->study);
  command->add_option("--budget", flags->budget, "time for all of it, such as 90s, 10m or 1.5h; default: no limit");
  command->add_option("--eta", flags->eta, "a rung keeps one candidate of so many and trains so much longer")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  command->add_option("--min-epochs", flags->min_epochs, "of the first rung; steps where the study counts those")
      ->check(CLI::PositiveNumber);
  command->add_option("--validation", flags->shares.validation, "share of the target's images that ranks")
      ->capture_default_str();
  command->add_option("--held-out", flags->shares.held_out, "share of them that decides and is not searched on")
      ->capture_default_str();
  command->add_option("--split", flags->split, "which split of a study that has several");
  command->add_flag("--no-feature-cache", flags->study.no_feature_cache, "run frozen layers at every step");
  command->add_flag("--accept-binary", flags->study.accept_binary, "go on from the results of another binary");
  command->add_flag("--json", flags->json, "print JSON");
  command->callback(
      [&context, flags] { context.chosen = [flags, &context] { return recommend_policy(*flags, context); }; });
}

}  // namespace graft
