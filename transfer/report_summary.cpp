#include "transfer/report_summary.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "transfer/figure_style.h"

namespace graft {
namespace {

/// A treatment's cuts by what their intervals say against base.
struct Verdict {
  std::vector<int> falls;  ///< the whole interval below zero
  std::vector<int> level;  ///< zero inside
  std::vector<int> gains;  ///< the whole interval above zero
  int holds_until = 0;     ///< the last cut before the first fall; 0 if the first cut falls

  bool any() const { return !falls.empty() || !level.empty() || !gains.empty(); }
};

/// A difference in percentage points with a true minus sign.
std::string signed_points(double difference) {
  return fmt::format("{}{:.1f}", difference < 0.0 ? "\u2212" : "+", std::abs(100.0 * difference));
}

std::string points(double difference) { return signed_points(difference) + " points"; }

/// "−9.8 points (95% interval −11.9 to −7.7)".
std::string text_with_interval(const IntervalEstimate& e) {
  return fmt::format("{} (95% interval {} to {})", points(e.mean), signed_points(e.mean - *e.half_width),
                     signed_points(e.mean + *e.half_width));
}

class Summarizer {
 public:
  Summarizer(const ReportData& data, const std::vector<std::string>& stages) : data_(data), stages_(stages) {}

  ReportSummary summary() {
    frozen("AnB", "Frozen layers of the other half");
    specificity();
    frozen("BnB", "Frozen layers of the same half, the control");
    tuned("AnB+", "Layers of the other half, fine-tuned");
    tuned("BnB+", "Layers of the same half, fine-tuned");
    frozen("random", "Frozen untrained layers");
    reservations();
    return {in_short(), sentences_};
  }

 private:
  std::optional<IntervalEstimate> interval(const std::string& treatment, int cut) const {
    const ArmRow* row = data_.find_row({treatment, cut});
    if (row == nullptr || !row->difference.difference.half_width) return std::nullopt;
    return row->difference.difference;
  }

  Verdict judge(const std::string& treatment) const {
    Verdict verdict;
    for (const int cut : data_.cuts) {
      const auto estimate = interval(treatment, cut);
      if (!estimate) continue;
      const bool falls = estimate->mean + *estimate->half_width < 0.0;
      const bool gains = estimate->mean - *estimate->half_width > 0.0;
      (falls ? verdict.falls : gains ? verdict.gains : verdict.level).push_back(cut);
      if (verdict.falls.empty()) verdict.holds_until = cut;
    }
    return verdict;
  }

  std::string at_cut(int cut) const {
    const std::string name = stage_name(stages_, cut);
    return name.empty() ? fmt::format("cut {}", cut) : fmt::format("cut {} ({})", cut, name);
  }

  /// Of `cuts` the one with the lowest difference among those that have an interval; 0 if none has.
  int worst_cut(const std::string& treatment, const std::vector<int>& cuts) const {
    int worst = 0;
    for (const int cut : cuts) {
      const auto estimate = interval(treatment, cut);
      if (estimate && (worst == 0 || estimate->mean < interval(treatment, worst)->mean)) worst = cut;
    }
    return worst;
  }

  std::string falls_text(const std::string& treatment, const Verdict& verdict) const {
    const int worst = worst_cut(treatment, verdict.falls);
    const std::string figures = text_with_interval(*interval(treatment, worst));
    if (verdict.falls.size() == 1) return fmt::format("At {} accuracy falls: {}.", at_cut(worst), figures);
    return fmt::format("Accuracy falls at cuts {}, most at {}: {}.", fmt::join(verdict.falls, ", "), at_cut(worst),
                       figures);
  }

  void frozen(const std::string& treatment, const std::string& what) {
    const Verdict verdict = judge(treatment);
    if (!verdict.any()) return;
    std::string text = fmt::format("{} ({}): ", what, treatment);
    if (verdict.falls.empty()) {
      const int worst = worst_cut(treatment, data_.cuts);
      text += fmt::format("no loss against base can be told from zero at any cut; the largest difference is {} at {}.",
                          text_with_interval(*interval(treatment, worst)), at_cut(worst));
    } else {
      if (verdict.holds_until > 0) {
        const auto last = *interval(treatment, verdict.holds_until);
        text += fmt::format("up to {} no loss against base can be told from zero; there it is {}. ",
                            at_cut(verdict.holds_until), text_with_interval(last));
      }
      text += falls_text(treatment, verdict);
    }
    sentences_.push_back(text);
  }

  /// How much of AnB's fall BnB does not share: the paper's division into specificity and broken co-adaptation.
  void specificity() {
    const Verdict verdict = judge("AnB");
    if (verdict.falls.empty()) return;
    const int worst = worst_cut("AnB", verdict.falls);
    const auto specific = paired_difference(data_.observations, {"AnB", worst}, data_.unit, {"BnB", worst}).difference;
    if (!specific.half_width) return;
    const bool below = specific.mean + *specific.half_width < 0.0;
    sentences_.push_back(
        fmt::format("At {} AnB differs from BnB by {}: {}.", at_cut(worst), text_with_interval(specific),
                    below ? "that part of the loss comes from features that are specific to the source classes, the "
                            "rest from cutting the network apart"
                          : "the loss is not shown to come from the source classes"));
  }

  void tuned(const std::string& treatment, const std::string& what) {
    const auto over = difference_over_cuts(data_.observations, treatment, data_.cuts, data_.unit).difference;
    if (!over.half_width) return;
    const bool better = over.mean - *over.half_width > 0.0;
    const bool worse = over.mean + *over.half_width < 0.0;
    sentences_.push_back(fmt::format("{} ({}): averaged over all cuts {} against base, {}.", what, treatment,
                                     text_with_interval(over),
                                     better  ? "better than training anew"
                                     : worse ? "worse than training anew"
                                             : "not to be told from training anew"));
  }

  void reservations() {
    if (!data_.untrained.empty()) {
      sentences_.push_back(
          fmt::format("{} of {} finished networks did not train: counted in every figure, and listed "
                      "below.",
                      data_.untrained.size(), data_.finished.size() + data_.source_bases.size()));
    }
    if (data_.unit == PairUnit::seed) {
      sentences_.emplace_back(
          "All this is for this split only: the intervals tell what other seeds would give, not what other classes "
          "would.");
    }
  }

  std::string frozen_in_short(const Verdict& frozen) const {
    if (frozen.falls.empty()) {
      const int worst = worst_cut("AnB", data_.cuts);
      return fmt::format(
          "Frozen layers of the other half lose nothing that these runs can show, at any cut (at most {} at "
          "{}). ",
          text_with_interval(*interval("AnB", worst)), at_cut(worst));
    }
    std::string text;
    if (frozen.holds_until > 0) {
      text = fmt::format("Frozen layers of the other half lose nothing that these runs can show up to {} ({} there). ",
                         at_cut(frozen.holds_until), points(interval("AnB", frozen.holds_until)->mean));
    }
    const char* subject = text.empty() ? "frozen layers of the other half" : "they";
    const int worst = worst_cut("AnB", frozen.falls);
    const std::string loss = points(interval("AnB", worst)->mean);
    if (frozen.falls.size() == 1) {
      return text + fmt::format("At {} {} cost accuracy: {}. ", at_cut(worst), subject, loss);
    }
    return text + fmt::format("At cuts {} {} cost accuracy, most at {}: {}. ", fmt::join(frozen.falls, ", "), subject,
                              at_cut(worst), loss);
  }

  static std::string fine_tuned_in_short(const IntervalEstimate& tuned) {
    const std::string average = points(tuned.mean) + " on average over cuts";
    if (tuned.mean + *tuned.half_width < 0.0) return "Fine-tuned they still end below training anew (" + average + ").";
    if (tuned.mean - *tuned.half_width > 0.0) return "Fine-tuned they end above training anew (" + average + ").";
    return "Fine-tuned, these runs cannot tell them from training anew (" + average + ").";
  }

  std::string in_short() const {
    const Verdict frozen = judge("AnB");
    const auto tuned = difference_over_cuts(data_.observations, "AnB+", data_.cuts, data_.unit).difference;
    std::string text;
    if (frozen.any()) text = frozen_in_short(frozen);
    if (tuned.half_width) text += fine_tuned_in_short(tuned);
    return text.empty()
               ? "There are not enough pairs for an interval yet: which layers transfer needs AnB or AnB+, base, "
                 "and at least two seeds (or two splits)."
               : text;
  }

  const ReportData& data_;
  const std::vector<std::string>& stages_;
  std::vector<std::string> sentences_;
};

}  // namespace

ReportSummary summarize(const ReportData& data, const std::vector<std::string>& stages) {
  return Summarizer(data, stages).summary();
}

}  // namespace graft
