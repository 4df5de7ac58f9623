#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "tools/command.h"
#include "tools/json_value.h"
#include "transfer/contrast.h"
#include "transfer/contrast_text.h"
#include "transfer/run_table.h"
#include "transfer/text_table.h"
#include "transfer/verdict.h"

// `graft contrasts FILE.csv`: the statistics of a study on anyone's table of runs.
namespace graft {
namespace {

using Json = nlohmann::ordered_json;

struct ContrastFlags {
  std::string file;
  RunTableOptions table;
  ContrastOptions contrast;
  bool json = false;
};

/// The two ends of an interval, or null twice.
void put_ends(Json& json, const char* lo, const char* hi, const IntervalEstimate& estimate) {
  json[lo] = estimate.half_width ? Json(estimate.mean - *estimate.half_width) : Json(nullptr);
  json[hi] = estimate.half_width ? Json(estimate.mean + *estimate.half_width) : Json(nullptr);
}

Json describe_units(const Contrast& contrast) {
  Json units = Json::array();
  for (const UnitDifference& unit : contrast.units) {
    units.push_back({{"unit", unit.unit}, {"pairs", unit.pairs.size()}, {"difference", unit.mean}});
  }
  return units;
}

std::string run_of(const RunTable& table, const Observation& o) {
  const auto is_it = [&](const TableRun& run) {
    const Observation& other = run.observation;
    return other.treatment == o.treatment && other.cut == o.cut && other.split == o.split && other.target == o.target &&
           other.seed == o.seed;
  };
  return std::find_if(table.runs.begin(), table.runs.end(), is_it)->run;
}

Json describe_untrained(const Contrast& contrast, const RunTable& table) {
  Json runs = Json::array();
  for (const UnitDifference& unit : contrast.units) {
    for (const Pair& pair : unit.pairs) {
      if (!pair.treated.trained) runs.push_back(run_of(table, pair.treated));
      if (!pair.reference.trained) runs.push_back(run_of(table, pair.reference));
    }
  }
  const IntervalEstimate& without = contrast.trained_difference;
  return {{"runs", std::move(runs)},
          {"units_without", without.units},
          {"mean_without", without.units > 0 ? Json(without.mean) : Json(nullptr)},
          {"half_width_without", or_null(without.half_width)}};
}

Json describe(const Contrast& contrast, const RunTable& table, const DecisionRule& rule) {
  const bool any = !contrast.refused();
  const Decision& decision = contrast.decision;
  Json json{{"contrast", name_of(contrast)},
            {"splits", contrast.group},
            {"n", contrast.arm.cut},
            {"pairs", contrast.pairs},
            {"units", contrast.difference.units},
            {"unit", name_of(contrast.unit)},
            {"mean", any ? Json(contrast.difference.mean) : Json(nullptr)},
            {"half_width", or_null(contrast.difference.half_width)}};
  put_ends(json, "lo", "hi", contrast.difference);
  json["method"] = any ? Json("paired t") : Json(nullptr);
  json["refused"] = contrast.refused();
  json["reason"] = any ? Json(nullptr) : Json(contrast.refusal);
  json["p"] = or_null(decision.p);
  json["p_holm"] = or_null(decision.p_holm);
  json["family"] = decision.family;
  json["holm_level"] = decision.p ? Json(decision.holm_level) : Json(nullptr);
  put_ends(json, "holm_lo", "holm_hi", decision.at_holm_level);
  json["p_equivalence"] = or_null(decision.p_equivalence);
  json["p_equivalence_holm"] = or_null(decision.p_equivalence_holm);
  json["bca"] = contrast.bootstrap ? Json{{"lo", contrast.bootstrap->lo},
                                          {"hi", contrast.bootstrap->hi},
                                          {"resamples", contrast.bootstrap->resamples}}
                                   : Json(nullptr);
  const ContrastRole* role = role_of(contrast);
  json["role"] = role == nullptr ? Json(nullptr) : Json(role->name);
  json["verdict"] = verdict_of(contrast);
  json["verdict_reason"] = reason_of(contrast, rule);
  json["wrong_way"] = wrong_way_units(contrast);
  json["standard_error"] = or_null(contrast.precision.standard_error);
  json["test_set_error"] = or_null(contrast.precision.test_set_error);
  json["seed_deviation"] = or_null(contrast.precision.seed_deviation);
  json["endless_seeds_half_width"] = or_null(contrast.precision.endless_seeds_half_width);
  const auto more = contrast.precision.units_to_halve;
  json["units_to_halve"] = more ? Json(*more) : Json(nullptr);
  json["untrained"] = describe_untrained(contrast, table);
  json["differences"] = describe_units(contrast);
  return json;
}

std::string untrained_text(const RunTable& table) {
  if (!table.has_losses) return "\nwhat did not train: not known, the table has no column final_train_loss\n";
  TextTable rows({{"run"},
                  {"treatment"},
                  {"cut", Align::right},
                  {"split"},
                  {"target"},
                  {"seed", Align::right},
                  {"top1", Align::right},
                  {"why"}});
  std::size_t count = 0;
  for (const TableRun& run : table.runs) {
    if (run.untrained.empty()) continue;
    const Observation& o = run.observation;
    rows.add({run.run, o.treatment, std::to_string(o.cut), o.split, o.target, std::to_string(o.seed),
              fmt::format("{:.4f}", o.top1), run.untrained});
    ++count;
  }
  if (count == 0) return "\nwhat did not train: nothing\n";
  return fmt::format(
      "\nwhat did not train ({} of {} networks; they count in the figures above, and verdicts that hang on them "
      "are not shown)\n{}",
      count, table.runs.size(), rows.text());
}

std::string rules_text(const ContrastFlags& flags, const RunTable& table) {
  const DecisionRule& rule = flags.contrast.rule;
  std::string text = fmt::format(
      "\nPairs share split, target half and seed. Intervals are Student's t at {:g}%, each for itself; verdicts hold "
      "for all "
      "cuts of a contrast together, by Holm's correction. ",
      100.0 * rule.level);
  text += rule.margin ? fmt::format("What lies within {} by two one-sided tests does not matter.\n", *rule.margin)
                      : "No --margin was stated, so nothing is called the same.\n";
  if (table.classes_assumed) {
    text += fmt::format("ln C is that of {} classes where the table has no column classes: --classes was not given.\n",
                        kDefaultClasses);
  }
  if (!table.unused_columns.empty()) {
    text += fmt::format("columns not used: {}\n", fmt::join(table.unused_columns, ", "));
  }
  return text;
}

/// Text of a table goes to a terminal: what one would obey is taken out, line by line.
std::string fit_for_terminal(const std::string& text) {
  std::string fit;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    fit += (byte < 0x20 && c != '\n') || byte == 0x7f ? '?' : c;
  }
  return fit;
}

int contrasts(const ContrastFlags& flags) {
  const RunTable table = read_run_table(flags.file, flags.table);
  const auto observations = table.observations();
  const auto found = contrasts_of(observations, flags.contrast);
  if (flags.json) {
    Json rows = Json::array();
    for (const Contrast& contrast : found) rows.push_back(describe(contrast, table, flags.contrast.rule));
    fmt::print("{}\n", rows.dump(2, ' ', false, Json::error_handler_t::replace));
    return 0;
  }
  const std::string text = contrasts_text(observations, found, flags.contrast.rule);
  fmt::print("{}", fit_for_terminal(text + untrained_text(table) + rules_text(flags, table)));
  return 0;
}

void check_flags(const ContrastFlags& flags) {
  const DecisionRule& rule = flags.contrast.rule;
  if (!(rule.level > 0.0 && rule.level < 1.0)) {
    fail(ErrorKind::usage, "--level is {}: a fraction between 0 and 1 is wanted, such as 0.95", rule.level);
  }
  if (rule.margin && !(*rule.margin > 0.0 && *rule.margin < 1.0)) {
    fail(ErrorKind::usage, "--margin is {}: a fraction between 0 and 1 is wanted, such as 0.005", *rule.margin);
  }
  if (flags.contrast.resamples < 9999 || flags.contrast.resamples > 10'000'000) {
    fail(ErrorKind::usage, "--resamples is {}: 9999 to 10000000 are wanted", flags.contrast.resamples);
  }
  if (flags.table.classes && *flags.table.classes < 2) {
    fail(ErrorKind::usage, "--classes is {}: at least 2 are wanted", *flags.table.classes);
  }
}

}  // namespace

void add_contrasts(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("contrasts", "the statistics of a study on anyone's table of runs");
  auto flags = std::make_shared<ContrastFlags>();
  command->add_option("FILE", flags->file, "a CSV file: run, treatment, split, source, target, n, top1, ...")
      ->required();
  command->add_option("--classes", flags->table.classes,
                      "classes of networks whose row does not say (1000), for what did not train");
  command->add_option("--level", flags->contrast.rule.level, "of intervals and verdicts")->capture_default_str();
  command->add_option("--margin", flags->contrast.rule.margin, "a difference of top-1 up to it does not matter");
  command->add_option("--resamples", flags->contrast.resamples, "of the bootstrap")->capture_default_str();
  command->add_option("--seed", flags->contrast.seed, "of the bootstrap")->capture_default_str();
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] {
    context.chosen = [flags] {
      check_flags(*flags);
      return contrasts(*flags);
    };
  });
}

}  // namespace graft
