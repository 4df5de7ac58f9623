#include "transfer/report_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "transfer/figure_style.h"
#include "transfer/report_verdicts.h"

namespace graft {
namespace {

/// A treatment's cuts by what is found against base, judged over all cuts together.
struct Verdict {
  std::vector<int> falls;
  std::vector<int> level;  ///< neither is shown
  std::vector<int> gains;
  int holds_until = 0;  ///< the last cut before the first fall; 0 if the first cut falls

  bool any() const { return !falls.empty() || !level.empty() || !gains.empty(); }
};

/// A difference in percentage points with a true minus sign.
std::string signed_points(double difference) {
  return fmt::format("{}{:.1f}", difference < 0.0 ? "\u2212" : "+", std::abs(100.0 * difference));
}

std::string points(double difference) { return signed_points(difference) + " points"; }

/// "−9.8 points (95% interval −11.9 to −7.7)".
std::string text_with_interval(const IntervalEstimate& e, double level = 0.95) {
  return fmt::format("{} ({:.3g}% interval {} to {})", points(e.mean), 100.0 * level,
                     signed_points(e.mean - *e.half_width), signed_points(e.mean + *e.half_width));
}

/// A difference at the level at which Holm's procedure tests it.
std::string text_of_decision(const Contrast& contrast) {
  return text_with_interval(contrast.decision.at_holm_level, contrast.decision.holm_level);
}

class Summarizer {
 public:
  Summarizer(const ReportData& data, const std::vector<std::string>& stages)
      : data_(data), stages_(stages), contrasts_(contrasts_of(data)) {}

  ReportSummary summary() {
    frozen("AnB", "Frozen layers of the other half");
    specificity();
    frozen("BnB", "Frozen layers of the same half, the control");
    tuned("AnB+", "Layers of the other half, fine-tuned");
    tuned("BnB+", "Layers of the same half, fine-tuned");
    frozen("random", "Frozen untrained layers");
    frozen("probe", "A linear classifier on layers of the other half, a probe of what they hold");
    reservations();
    return {in_short(), sentences_};
  }

 private:
  /// Nothing without at least two units to test.
  const Contrast* find(const std::string& treatment, int cut, const std::string& reference = "base") const {
    const auto found = std::find_if(contrasts_.begin(), contrasts_.end(), [&](const Contrast& contrast) {
      return contrast.arm.treatment == treatment && contrast.arm.cut == cut &&
             contrast.reference.treatment == reference && contrast.decision.at_holm_level.half_width;
    });
    return found == contrasts_.end() ? nullptr : &*found;
  }

  double mean_at(const std::string& treatment, int cut) const { return find(treatment, cut)->difference.mean; }

  Verdict judge(const std::string& treatment) const {
    Verdict verdict;
    for (const int cut : data_.cuts) {
      const Contrast* contrast = find(treatment, cut);
      if (contrast == nullptr) continue;
      const Finding finding = contrast->finding();
      (finding == Finding::loss   ? verdict.falls
       : finding == Finding::gain ? verdict.gains
                                  : verdict.level)
          .push_back(cut);
      if (verdict.falls.empty()) verdict.holds_until = cut;
    }
    return verdict;
  }

  std::string at_cut(int cut) const {
    const std::string name = stage_name(stages_, cut);
    return name.empty() ? fmt::format("cut {}", cut) : fmt::format("cut {} ({})", cut, name);
  }

  /// Of `cuts` the one where `sign` times the difference is highest among those that have an interval; 0 if none has.
  int extreme_cut(const std::string& treatment, const std::vector<int>& cuts, int sign) const {
    int extreme = 0;
    for (const int cut : cuts) {
      if (find(treatment, cut) == nullptr) continue;
      if (extreme == 0 || sign * mean_at(treatment, cut) > sign * mean_at(treatment, extreme)) extreme = cut;
    }
    return extreme;
  }
  int worst_cut(const std::string& treatment, const std::vector<int>& cuts) const {
    return extreme_cut(treatment, cuts, -1);
  }
  int best_cut(const std::string& treatment, const std::vector<int>& cuts) const {
    return extreme_cut(treatment, cuts, 1);
  }

  /// What accuracy does at `cuts`, which is "falls" or "rises", most at `most`; a sentence, or what follows a colon.
  std::string change_text(const std::string& treatment, const std::vector<int>& cuts, const std::string& does, int most,
                          bool begins = true) const {
    const std::string figures = text_of_decision(*find(treatment, most));
    if (cuts.size() == 1)
      return fmt::format("{} {} accuracy {}: {}.", begins ? "At" : "at", at_cut(most), does, figures);
    return fmt::format("{} {} at cuts {}, most at {}: {}.", begins ? "Accuracy" : "accuracy", does,
                       fmt::join(cuts, ", "), at_cut(most), figures);
  }

  /// At a cut up to `last` a loss is shown, but one that the study's margin calls equivalent to none.
  bool small_loss(const std::string& treatment, int last) const {
    return std::any_of(data_.cuts.begin(), data_.cuts.end(), [&](int cut) {
      const Contrast* contrast = cut <= last ? find(treatment, cut) : nullptr;
      return contrast != nullptr && contrast->finding() == Finding::equivalent && contrast->decision.sign_shown &&
             contrast->difference.mean < 0.0;
    });
  }

  std::string no_loss(const std::string& treatment, int last) const {
    return small_loss(treatment, last) ? "no loss against base beyond the study's margin is shown"
                                       : "no loss against base can be told from zero";
  }

  void frozen(const std::string& treatment, const std::string& what) {
    const Verdict verdict = judge(treatment);
    if (!verdict.any()) return;
    std::string text = fmt::format("{} ({}): ", what, treatment);
    if (verdict.falls.empty()) {
      const int worst = worst_cut(treatment, data_.cuts);
      text += fmt::format("{} at any cut; the lowest difference is {} at {}.", no_loss(treatment, data_.cuts.back()),
                          text_of_decision(*find(treatment, worst)), at_cut(worst));
    } else {
      if (verdict.holds_until > 0) {
        text += fmt::format("up to {} {}; there it is {}. ", at_cut(verdict.holds_until),
                            no_loss(treatment, verdict.holds_until),
                            text_of_decision(*find(treatment, verdict.holds_until)));
      }
      text +=
          change_text(treatment, verdict.falls, "falls", worst_cut(treatment, verdict.falls), verdict.holds_until > 0);
    }
    if (!verdict.gains.empty()) {
      text += " " + change_text(treatment, verdict.gains, "rises", best_cut(treatment, verdict.gains));
    }
    sentences_.push_back(text);
  }

  /// How much of AnB's fall BnB does not share: the paper's division into specificity and broken co-adaptation.
  void specificity() {
    const Verdict verdict = judge("AnB");
    if (verdict.falls.empty()) return;
    const int worst = worst_cut("AnB", verdict.falls);
    const Contrast* specific = find("AnB", worst, "BnB");
    if (specific == nullptr) return;
    const bool below = specific->finding() == Finding::loss;
    sentences_.push_back(
        fmt::format("At {} AnB differs from BnB by {}: {}.", at_cut(worst), text_of_decision(*specific),
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
    if (data_.cuts.size() > 1) {
      sentences_.emplace_back(
          "A fall or a gain at a cut is claimed only where Holm's correction over all cuts leaves it, and the "
          "intervals "
          "above are at the levels of that correction; averages over cuts are tested once, at 95%.");
    }
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

  /// "At cuts 4, 5 they cost accuracy, most at cut 5 (conv5): −9.5 points. "
  std::string change_in_short(const std::vector<int>& cuts, const std::string& who_does_what, int most) const {
    const std::string change = points(mean_at("AnB", most));
    if (cuts.size() == 1) return fmt::format("At {} {} accuracy: {}. ", at_cut(most), who_does_what, change);
    return fmt::format("At cuts {} {} accuracy, most at {}: {}. ", fmt::join(cuts, ", "), who_does_what, at_cut(most),
                       change);
  }

  std::string frozen_in_short(const Verdict& frozen) const {
    const int last = frozen.falls.empty() ? data_.cuts.back() : frozen.holds_until;
    const std::string nothing = fmt::format("Frozen layers of the other half lose nothing {}that these runs can show",
                                            small_loss("AnB", last) ? "beyond the study's margin " : "");
    std::string text;
    if (frozen.falls.empty()) {
      const int worst = worst_cut("AnB", data_.cuts);
      text = fmt::format("{}, at any cut (lowest: {} at {}). ", nothing, text_of_decision(*find("AnB", worst)),
                         at_cut(worst));
    } else {
      if (last > 0) text = fmt::format("{} up to {} ({} there). ", nothing, at_cut(last), points(mean_at("AnB", last)));
      const std::string subject = text.empty() ? "frozen layers of the other half" : "they";
      text += change_in_short(frozen.falls, subject + " cost", worst_cut("AnB", frozen.falls));
    }
    if (!frozen.gains.empty()) text += change_in_short(frozen.gains, "they gain", best_cut("AnB", frozen.gains));
    return text;
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
  std::vector<Contrast> contrasts_;
  std::vector<std::string> sentences_;
};

}  // namespace

ReportSummary summarize(const ReportData& data, const std::vector<std::string>& stages) {
  return Summarizer(data, stages).summary();
}

}  // namespace graft
