#include <fmt/format.h>

#include <memory>
#include <set>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/sha256.h"
#include "tools/backends.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/study_costs.h"
#include "tools/study_flags.h"
#include "transfer/audit_csv.h"
#include "transfer/expected_data.h"
#include "transfer/launch_rank.h"
#include "transfer/plan_cost.h"
#include "transfer/reference.h"
#include "transfer/report.h"
#include "transfer/results_csv.h"
#include "transfer/runner_folder.h"
#include "transfer/search_record.h"
#include "transfer/search_verification.h"
#include "transfer/subgroups.h"
#include "transfer/verification.h"

// `graft study plan | run | report | verify | export`; `recommend` has a file of its own.
namespace graft {
namespace {

/// "cuts: 1 stem, 4 layer1.2".
std::string cuts_line(const PreparedStudy& prepared) {
  std::vector<std::string> cuts;
  for (const int cut : prepared.plan.study.cuts) {
    cuts.push_back(fmt::format("{} {}", cut, prepared.stages[static_cast<std::size_t>(cut - 1)]));
  }
  if (cuts.empty()) return "";
  return fmt::format("cuts, after {}: {}\n", name_of(prepared.plan.study.cuts_at), fmt::join(cuts, ", "));
}

/// What a study would cost where its data are not: the numbers go out, then the error that says what is missing.
int plan_without_data(const RunnerOptions& options, const Study& study, const std::string& missing, double tflops) {
  const PreparedStudy prepared = prepare_study(options, expected_data(study));
  const auto backend = backend_registry().make(options.device, options.backend);
  const CostFunction costs = study_costs(prepared, *backend, options.feature_cache);
  fmt::print(
      "{}{}planned for the {} training and {} test images of {} that the study expects; run ids need the images\n",
      plan_summary(prepared.plan, costs, tflops), cuts_line(prepared), study.expects->train, study.expects->test,
      study.dataset);
  std::fflush(stdout);
  fail(ErrorKind::data, "{}", missing);
}

int plan_study(const StudyFlags& flags) {
  const RunnerOptions options = resolve_study(flags);
  const Study study = parse_study(options.study_text, options.study_file);
  StudyData data;
  try {
    data = open_study_data(study, options.data);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::data || !study.expects) throw;
    return plan_without_data(options, study, error.what(), flags.tflops);
  }
  const PreparedStudy prepared = prepare_study(options, data);
  const Subgroups subgroups = find_subgroups(prepared.plan, *data.target.test, options.study_file, options.folder);
  std::set<std::string> done;
  for (const RunResult& result : results_to_keep(read_results(options.folder), prepared.plan, options.folder)) {
    done.insert(result.id);
  }
  const auto backend = backend_registry().make(options.device, options.backend);
  const CostFunction costs = study_costs(prepared, *backend, options.feature_cache);
  fmt::print("{}\n{}{}{}", plan_table(prepared.plan, costs, options.jobs, done),
             plan_summary(prepared.plan, costs, flags.tflops), cuts_line(prepared), subgroups_line(subgroups));
  return 0;
}

/// Which trained networks would be lost with the page is none of them: a report that fails is a warning.
void try_report(const std::filesystem::path& folder) {
  try {
    write_report(folder);
    log_info("graft: the figure is in {}", (folder / "report.html").string());
  } catch (const Error& error) {
    log_warning("no report: {}", error.what());
  }
}

int run(const StudyFlags& flags, const CommandContext& context) {
  RunnerOptions options = resolve_study(flags);
  options.binary = sha256_file("/proc/self/exe");
  options.versions = library_versions();
  options.device_name = processor_name();
  options.command_line = context.command_line;
  options.stop = &catch_interrupts();
  if (const auto launch = launch_rank()) options.process = launch->name;
  const RunnerOutcome outcome = run_study(options);
  if (outcome.interrupted) {
    fail(ErrorKind::interrupted, "interrupted; {} of {} runs are done; go on with: {}", outcome.done, outcome.planned,
         shell_line(context.command_line));
  }
  if (outcome.last) {
    fmt::print("{}", report_table(outcome.study, outcome.results));
    std::fflush(stdout);
    try_report(options.folder);
  } else {
    log_info("graft: {} of {} runs are done; the last process to end writes table and page", outcome.done,
             outcome.planned);
  }
  if (outcome.failed == 0) return 0;
  fail(ErrorKind::failure, "{} of {} runs failed, see {}; the same command tries them again", outcome.failed,
       outcome.planned, (options.folder / "results.jsonl").string());
}

/// The options of a command that reads a study's results.
RunnerOptions resolve_results(const StudyFlags& flags) {
  RunnerOptions options = resolve_study(flags);
  if (!holds_search(options.folder)) return options;
  fail(ErrorKind::data,
       "{0}: holds a search, not the results of a study; graft study recommend {0} tells what it found",
       options.folder.string());
}

int report(const StudyFlags& flags) {
  const RunnerOptions options = resolve_results(flags);
  if (!flags.reference.empty()) {
    keep_reference({.file = flags.reference, .source = flags.reference_source, .splits = {}}, "", options.folder);
  }
  write_report(options.folder);
  fmt::print("{}", report_table(read_study(options.folder / "study.yaml"), read_results(options.folder)));
  log_info("graft: the figure is in {}", (options.folder / "report.html").string());
  return 0;
}

int verify(const StudyFlags& flags) {
  const VerificationOptions options{.folder = flags.study,
                                    .data = flags.data,
                                    .device = flags.device.name,
                                    .backend = backend_options(flags.device, flags.threads),
                                    .evaluate = !flags.no_evaluate};
  const Verification found = holds_search(options.folder) ? verify_search(options) : verify_study(options);
  for (const std::string& note : found.notes) log_info("graft: {}", note);
  if (found.faults.empty()) {
    fmt::print("{}: {} lines, {} files and {} networks tested again are as recorded\n", flags.study, found.lines,
               found.files, found.tested);
    return 0;
  }
  for (const std::string& text : found.faults) fmt::print("{}\n", text);
  fail(ErrorKind::data, "{}: {} of what it records {} changed: {}", flags.study, found.faults.size(),
       found.faults.size() == 1 ? "has" : "have", found.faults.front());
}

int export_results(const StudyFlags& flags) {
  const std::filesystem::path folder = resolve_results(flags).folder;
  const std::vector<RunResult> results = read_results(folder);
  if (!flags.by_class && !flags.by_subgroup) {
    fmt::print("{}", results_csv(results));
    return 0;
  }
  const Manifest manifest = read_manifest(folder);
  if (flags.by_subgroup && !manifest.subgroups) {
    fail(ErrorKind::data, "{}: names no subgroups: run a study whose file has `subgroups: FILE.csv`",
         (folder / "manifest.json").string());
  }
  fmt::print("{}", audit_csv(flags.by_class ? AuditBy::classes : AuditBy::subgroups, results, manifest));
  return 0;
}

}  // namespace

void add_study(CLI::App& app, CommandContext& context) {
  CLI::App* study = app.add_subcommand("study", "which layers transfer: plan, run and report a study");
  auto flags = std::make_shared<StudyFlags>();

  CLI::App* plan_command = study->add_subcommand("plan", "list the runs and what they will cost");
  add_study_flags(*plan_command, *flags);
  plan_command->callback([&context, flags] { context.chosen = [flags] { return plan_study(*flags); }; });

  CLI::App* run_command = study->add_subcommand("run", "train what is not there yet, several runs at a time");
  add_study_flags(*run_command, *flags);
  plan_command->add_option("--tflops", flags->tflops, "operations that a GPU sustains, in 10^12 a second")
      ->check(CLI::PositiveNumber);
  for (CLI::App* command : {plan_command, run_command}) {
    command->add_flag("--no-feature-cache", flags->no_feature_cache, "run frozen layers at every step");
  }
  run_command->add_flag("--accept-binary", flags->accept_binary, "go on from the results of another binary");
  run_command->callback([&context, flags] { context.chosen = [flags, &context] { return run(*flags, context); }; });

  CLI::App* verify_command = study->add_subcommand("verify", "compute again what a results folder claims");
  verify_command->add_option("FOLDER", flags->study, "results of a study, or a search")->required();
  add_data_flags(*verify_command, flags->data);
  add_device_flags(*verify_command, flags->device);
  verify_command->add_option("--threads", flags->threads, "threads of one run")->check(CLI::PositiveNumber);
  verify_command->add_flag("--no-evaluate", flags->no_evaluate, "do not test the networks again");
  verify_command->callback([&context, flags] { context.chosen = [flags] { return verify(*flags); }; });

  CLI::App* export_command = study->add_subcommand("export", "print all results as one table, CSV");
  export_command->add_option("STUDY", flags->study, "a study file or a results folder")->required();
  export_command->add_option("--output", flags->output, "results folder; default: runs/<study name>");
  CLI::Option* by_class =
      export_command->add_flag("--by-class", flags->by_class, "a line for each network and class of its target half");
  export_command->add_flag("--by-subgroup", flags->by_subgroup, "a line for each network and subgroup of its images")
      ->excludes(by_class);
  export_command->callback([&context, flags] { context.chosen = [flags] { return export_results(*flags); }; });

  CLI::App* report_command = study->add_subcommand("report", "write report.html and print the table");
  report_command->add_option("STUDY", flags->study, "a study file or a results folder")->required();
  report_command->add_option("--output", flags->output, "results folder; default: runs/<study name>");
  report_command->add_option("--reference", flags->reference, "a published table of runs, CSV, to draw beside");
  report_command->add_option("--reference-source", flags->reference_source, "who published it, for the page");
  report_command->callback([&context, flags] { context.chosen = [flags] { return report(*flags); }; });

  add_study_recommend(*study, context);
}

}  // namespace graft
