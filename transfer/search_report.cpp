#include "transfer/search_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "transfer/progress.h"
#include "transfer/report_verdicts.h"
#include "transfer/search_advice.h"
#include "transfer/text_table.h"
#include "transfer/verdict.h"

namespace graft {
namespace {

std::string length_text(const SearchOutcome& outcome, std::int64_t length) {
  const char* unit = outcome.study.training.iterations > 0 ? "step" : "epoch";
  return fmt::format("{} {}{}", length, unit, length == 1 ? "" : "s");
}

std::string what_became_of(const SearchOutcome& outcome, const RankedArm& candidate, bool last) {
  const Evaluation& e = candidate.evaluation;
  if (!e.ok()) return "failed: " + e.error;
  const bool first = last && &candidate == &outcome.winner();
  std::string text = first ? "first" : candidate.kept && !last ? "kept" : "dropped";
  if (last && outcome.stop && candidate.kept && !first) text = "not looked at further";
  return e.untrained().empty() ? text : text + ", at chance";
}

std::string rung_table(const SearchOutcome& outcome, std::size_t number) {
  const RankedRung& rung = outcome.rungs[number];
  TextTable table({{"arm"}, {"cut", Align::right}, {"right", Align::right}, {"top-1", Align::right}, {""}});
  for (std::size_t i = 0; i < rung.arms.size(); ++i) {
    const RankedArm& candidate = rung.arms[i];
    const Evaluation& e = candidate.evaluation;
    table.add({label_of(candidate.arm.method), candidate.arm.carries() ? std::to_string(candidate.arm.cut) : "",
               e.ok() ? std::to_string(e.correct) : "-", e.ok() ? fmt::format("{:.4f}", e.top1()) : "-",
               what_became_of(outcome, candidate, number + 1 == outcome.rungs.size())});
  }
  const auto count = rung.arms.size();
  return fmt::format("rung {}: {} candidate{}, {} each, seed {}, ranked on {} images\n{}\n", number, count,
                     count == 1 ? "" : "s", length_text(outcome, rung.length), outcome.seed, outcome.validation,
                     table.text());
}

std::string head_text(const SearchOutcome& outcome) {
  std::string text = fmt::format(
      "target: {}\n{} training images: {} to search with, {} to rank on, {} held out; its test set is not read\n",
      fmt::join(outcome.classes, ", "), outcome.training + outcome.validation + outcome.held_out, outcome.training,
      outcome.validation, outcome.held_out);
  if (!outcome.not_searched.empty()) {
    text += fmt::format("not searched, since nothing in it comes from the source: {}\n",
                        fmt::join(outcome.not_searched, ", "));
  }
  return text + "\n";
}

std::string decision_table(const SearchOutcome& outcome) {
  std::vector<std::uint64_t> seeds;
  for (const Evaluation& e : outcome.decided) {
    if (std::find(seeds.begin(), seeds.end(), e.seed) == seeds.end()) seeds.push_back(e.seed);
  }
  const auto cell = [&](bool base, std::uint64_t seed) -> std::string {
    for (const Evaluation& e : outcome.decided) {
      if ((e.cut == 0) == base && e.seed == seed) return e.ok() ? fmt::format("{:.4f}", e.top1()) : "failed";
    }
    return "-";
  };
  TextTable table({{"seed", Align::right}, {"base", Align::right}, {outcome.challenger.name(), Align::right}});
  for (const std::uint64_t seed : seeds) table.add({std::to_string(seed), cell(true, seed), cell(false, seed)});
  return table.text();
}

std::string decision_text(const SearchOutcome& outcome) {
  const RankedArm& winner = outcome.winner();
  std::string text = fmt::format("the search ranks {} first", winner.arm.name());
  if (winner.arm != outcome.challenger) {
    text += fmt::format("; of what carries layers over {} is the best", outcome.challenger.name());
  }
  text += fmt::format("\n\nheld out: {} images that no rung has seen; trained anew on the other {}, in full\n{}\n",
                      outcome.held_out, outcome.training + outcome.validation, decision_table(outcome));
  const DecisionRule rule = rule_of(outcome.study);
  for (const Contrast& contrast : outcome.contrasts) {
    text += fmt::format("{}: {}: {}\n", outcome.challenger.name(), verdict_of(contrast), reason_of(contrast, rule));
    const auto images = contrast.precision.test_set_error;
    if (!images) continue;
    text += fmt::format(
        "the interval is over seeds; that these {} images are held out and no others leaves a standard "
        "error of {:.4f} or less beside it\n",
        outcome.held_out, *images);
  }
  return text;
}

std::string optimism_text(const SearchOutcome& outcome) {
  const SearchScores scores = scores_of(outcome);
  std::string text = fmt::format("the search's own score of {}: {:.4f} (rung {}, one network)",
                                 outcome.challenger.name(), scores.search, scores.search_rung);
  if (scores.held_out) text += fmt::format(", on what is held out {:.4f} (mean of {})", *scores.held_out, scores.seeds);
  text += '\n';
  const SearchOptimism optimism = optimism_of(outcome);
  if (optimism.search && optimism.held_out) {
    text += fmt::format("its difference to base as the search saw it: {:+.4f} (rung {}), on what is held out {:+.4f}\n",
                        *optimism.search, optimism.rung, *optimism.held_out);
  }
  return text;
}

std::string seconds_text(const SearchOutcome& outcome) {
  const auto own = seconds_a_network(outcome, false);
  const auto base = seconds_a_network(outcome, true);
  if (!own || !base) return "";
  return fmt::format("a network of {} took {:.1f} s, of base {:.1f} s\n", outcome.challenger.name(), *own, *base);
}

}  // namespace

std::string not_looked_at(const SearchOutcome& outcome) {
  if (!outcome.stop) return "";
  const SearchStop& stop = *outcome.stop;
  return fmt::format(
      "rung {}, {} candidates for {} each: it would take about {}, and the comparison after it about {}, when {} of {} "
      "were used",
      stop.rung, stop.candidates, length_text(outcome, stop.length), duration_text(stop.estimate),
      duration_text(stop.reserve), duration_text(stop.used), duration_text(stop.budget));
}

std::string search_text(const SearchOutcome& outcome) {
  std::string text = head_text(outcome);
  for (std::size_t rung = 0; rung < outcome.rungs.size(); ++rung) text += rung_table(outcome, rung);
  const std::string missing = not_looked_at(outcome);
  if (!missing.empty()) text += fmt::format("not looked at for lack of time: {}\n\n", missing);
  text += decision_text(outcome) + optimism_text(outcome);
  text += fmt::format("\nwhat to use\n{}\n\n{}", advice_of(outcome).text, seconds_text(outcome));
  text += fmt::format("time used: {}", duration_text(outcome.used));
  return text + (outcome.budget ? fmt::format(" of {}\n", duration_text(*outcome.budget)) : std::string("\n"));
}

}  // namespace graft
