#include "transfer/contrast_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "transfer/recommendation.h"
#include "transfer/text_table.h"
#include "transfer/verdict.h"

namespace graft {
namespace {

using Contrasts = std::vector<const Contrast*>;

std::string number(std::optional<double> value, const char* format) {
  return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

std::string p_cell(std::optional<double> p) {
  if (!p) return "-";
  return *p < 0.0001 ? "<.0001" : fmt::format("{:.4f}", *p);
}

std::string interval_cell(const Contrast& contrast) {
  const IntervalEstimate& difference = contrast.difference;
  if (!difference.half_width) return "-";
  return fmt::format("{:+.4f} to {:+.4f}", difference.mean - *difference.half_width,
                     difference.mean + *difference.half_width);
}

std::string bootstrap_cell(const Contrast& contrast) {
  if (!contrast.bootstrap) return "-";
  return fmt::format("{:+.4f} to {:+.4f}", contrast.bootstrap->lo, contrast.bootstrap->hi);
}

std::string main_table(const Contrasts& contrasts, const DecisionRule& rule) {
  const bool bootstrap = std::any_of(contrasts.begin(), contrasts.end(), [](const auto* c) { return c->bootstrap; });
  std::vector<TextTable::Column> columns{{"contrast"},
                                         {"cut", Align::right},
                                         {"pairs", Align::right},
                                         {"units", Align::right},
                                         {"mean", Align::right},
                                         {"+/-", Align::right},
                                         {fmt::format("{:g}% t interval", 100.0 * rule.level), Align::right}};
  if (bootstrap) columns.push_back({"BCa bootstrap", Align::right});
  columns.push_back({"p, Holm", Align::right});
  columns.push_back({"verdict"});
  TextTable table(columns);
  for (const Contrast* c : contrasts) {
    const bool any = !c->refused();
    std::vector<std::string> cells{name_of(*c),
                                   std::to_string(c->arm.cut),
                                   std::to_string(c->pairs),
                                   std::to_string(c->difference.units),
                                   any ? fmt::format("{:+.4f}", c->difference.mean) : "-",
                                   number(c->difference.half_width, "{:.4f}"),
                                   interval_cell(*c)};
    if (bootstrap) cells.push_back(bootstrap_cell(*c));
    cells.push_back(p_cell(c->decision.p_holm));
    cells.push_back(verdict_of(*c) + (c->untrained > 0 ? fmt::format(" ({} did not train)", c->untrained) : ""));
    table.add(cells);
  }
  return table.text();
}

const Contrast* find(const Contrasts& contrasts, const ContrastRole& role, int cut) {
  const auto found = std::find_if(contrasts.begin(), contrasts.end(), [&](const Contrast* contrast) {
    return role_of(*contrast) == &role && contrast->arm.cut == cut;
  });
  return found == contrasts.end() ? nullptr : *found;
}

std::string role_cell(const Contrast* contrast) {
  if (contrast == nullptr) return "-";
  if (contrast->refused()) return "refused";
  const IntervalEstimate& difference = contrast->difference;
  return fmt::format("{:+.4f} {}", difference.mean,
                     difference.half_width ? fmt::format("+/- {:.4f}", *difference.half_width) : "(1 unit)");
}

/// A row a cut, a column a role that the table of runs can fill.
std::string decomposition(const Contrasts& contrasts) {
  std::set<int> cuts;
  std::vector<const ContrastRole*> roles;
  for (const ContrastRole& role : contrast_roles()) {
    const auto has_role = [&](const Contrast* contrast) { return role_of(*contrast) == &role; };
    if (std::any_of(contrasts.begin(), contrasts.end(), has_role)) roles.push_back(&role);
  }
  for (const Contrast* contrast : contrasts) {
    if (role_of(*contrast) != nullptr) cuts.insert(contrast->arm.cut);
  }
  if (roles.empty()) return "";
  std::vector<TextTable::Column> columns{{"cut", Align::right}};
  std::vector<std::string> second{""};
  for (const ContrastRole* role : roles) {
    columns.push_back({role->name, Align::right});
    second.push_back(fmt::format("{} - {}", role->treatment, role->reference));
  }
  TextTable table(columns);
  table.add(second);
  for (const int cut : cuts) {
    std::vector<std::string> cells{std::to_string(cut)};
    for (const ContrastRole* role : roles) cells.push_back(role_cell(find(contrasts, *role, cut)));
    table.add(cells);
  }
  return "\nwhat a cut does\n" + table.text();
}

struct LimitColumn {
  const char* heading;
  std::optional<double> Precision::*value;
};

/// Columns that no contrast fills are left out.
std::string limits(const Contrasts& contrasts) {
  const LimitColumn all[]{{"standard error", &Precision::standard_error},
                          {"of test images", &Precision::test_set_error},
                          {"deviation of seeds", &Precision::seed_deviation},
                          {"+/- with endless seeds", &Precision::endless_seeds_half_width}};
  std::vector<LimitColumn> filled;
  std::vector<TextTable::Column> columns{{"contrast"}, {"cut", Align::right}};
  for (const LimitColumn& column : all) {
    const auto fills = [&](const Contrast* c) { return (c->precision.*column.value).has_value(); };
    if (std::none_of(contrasts.begin(), contrasts.end(), fills)) continue;
    filled.push_back(column);
    columns.push_back({column.heading, Align::right});
  }
  if (filled.empty()) return "";
  columns.push_back({"units to halve it", Align::right});
  TextTable table(columns);
  for (const Contrast* c : contrasts) {
    if (!c->precision.standard_error && !c->precision.test_set_error) continue;
    std::vector<std::string> cells{name_of(*c), std::to_string(c->arm.cut)};
    for (const LimitColumn& column : filled) cells.push_back(number(c->precision.*column.value, "{:.4f}"));
    const auto more = c->precision.units_to_halve;
    cells.push_back(more ? fmt::format("{} more", *more) : "-");
    table.add(cells);
  }
  return "\nwhat limits the intervals\n" + table.text();
}

/// Verdicts with their reasons. Cuts with the very same words share a line.
std::string reasons(const Contrasts& contrasts, const DecisionRule& rule, const char* heading,
                    const std::function<bool(const Contrast&)>& wanted) {
  std::vector<std::pair<std::string, std::string>> lines;  // what, why
  for (const Contrast* contrast : contrasts) {
    if (!wanted(*contrast)) continue;
    const std::string who =
        contrast->carries_over && contrast->against_base() ? contrast->arm.treatment : name_of(*contrast);
    const std::string why = fmt::format("{}: {}", verdict_of(*contrast), reason_of(*contrast, rule));
    const std::string start = who + " at ";
    const bool same = !lines.empty() && lines.back().second == why && lines.back().first.starts_with(start);
    if (same) {
      lines.back().first += fmt::format(", {}", contrast->arm.cut);
    } else {
      lines.emplace_back(fmt::format("{}{}", start, contrast->arm.cut), why);
    }
  }
  if (lines.empty()) return "";
  std::string text = fmt::format("\n{}\n", heading);
  for (const auto& [what, why] : lines) text += fmt::format("{}: {}\n", what, why);
  return text;
}

std::string verdicts_of(const Contrasts& contrasts, const DecisionRule& rule) {
  const auto carried = [](const Contrast& c) { return c.carries_over && c.against_base() && !c.refused(); };
  const auto unexpected = [](const Contrast& c) { return !wrong_way_role(c).empty(); };
  const auto refused = [](const Contrast& c) { return c.refused(); };
  return reasons(contrasts, rule, "what carried layers do", carried) +
         reasons(contrasts, rule, "against what is expected", unexpected) +
         reasons(contrasts, rule, "refused", refused);
}

std::string group_heading(const SplitGroup& group) {
  if (group.unit == PairUnit::seed) return fmt::format("{}: a unit is a seed, for this split only\n", group.name);
  return fmt::format("{}: {} splits ({}); a unit is a target half of a split, its seeds averaged\n", group.name,
                     group.splits.size(), fmt::join(group.splits, ", "));
}

std::string group_text(const SplitGroup& group, std::span<const Contrast> contrasts, const DecisionRule& rule) {
  Contrasts own;
  for (const Contrast& contrast : contrasts) {
    if (contrast.group == group.name) own.push_back(&contrast);
  }
  std::string text = group_heading(group);
  if (own.empty()) return text + "nothing to compare: base alone\n";
  text += main_table(own, rule) + decomposition(own);
  text += verdicts_of(own, rule);
  text += limits(own);
  return text;
}

}  // namespace

std::string verdicts_text(std::span<const Contrast> contrasts, const DecisionRule& rule) {
  Contrasts all;
  for (const Contrast& contrast : contrasts) all.push_back(&contrast);
  return verdicts_of(all, rule);
}

std::string contrasts_text(std::span<const Observation> observations, std::span<const Contrast> contrasts,
                           const DecisionRule& rule) {
  std::string text;
  const auto recommendations = recommend(contrasts, rule);
  for (const SplitGroup& group : split_groups(observations)) {
    if (!text.empty()) text += '\n';
    text += group_text(group, contrasts, rule);
    for (const Recommendation& recommendation : recommendations) {
      if (recommendation.group != group.name) continue;
      text += fmt::format("\nwhat to use\n{}\n", recommendation.text(rule));
    }
  }
  return text;
}

}  // namespace graft
