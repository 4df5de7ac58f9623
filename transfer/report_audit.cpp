#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "transfer/audit.h"
#include "transfer/html.h"
#include "transfer/report_page.h"

// The parts of the page that say which classes or subgroups a mean over all images hides.
namespace graft {
namespace {

using Cells = std::vector<std::string>;

// A table of every part and arm with more parts is for a program to read.
constexpr std::size_t kMostListedParts = 100;

std::string named_difference(const PartEffect& part) {
  return fmt::format("{} {}", html_escape(part.name), html_difference(part.accuracy.difference));
}

std::string arm_text(const ArmAudit& arm) {
  return fmt::format("{} at cut {}", html_escape(arm.row.arm.treatment), arm.row.arm.cut);
}

std::string list_items(const Cells& items) {
  std::string text = "<ul>\n";
  for (const std::string& item : items) text += "<li>" + item + "</li>\n";
  return text + "</ul>\n";
}

/// "cut 3", "cuts 1 and 3", "cuts 1 to 4".
std::string cuts_text(const std::vector<int>& cuts) {
  if (cuts.size() == 1) return fmt::format("cut {}", cuts.front());
  const bool all_between = cuts.back() - cuts.front() == static_cast<int>(cuts.size()) - 1;
  if (cuts.size() > 2 && all_between) return fmt::format("cuts {} to {}", cuts.front(), cuts.back());
  return fmt::format("cuts {} and {}", fmt::join(cuts.begin(), cuts.end() - 1, ", "), cuts.back());
}

std::string from_to(const Change& change) {
  return fmt::format("{:.3f} to {:.3f}, {}", change.base, change.treated, html_difference(change.difference));
}

/// Arms of one treatment, cuts rising.
struct TreatmentAudit {
  std::string treatment;
  std::vector<const ArmAudit*> arms;

  template <class Shown>
  std::vector<const ArmAudit*> where(Shown shown) const {
    std::vector<const ArmAudit*> some;
    std::copy_if(arms.begin(), arms.end(), std::back_inserter(some), [&](const ArmAudit* arm) { return shown(*arm); });
    return some;
  }
};

std::vector<int> cuts_of(const std::vector<const ArmAudit*>& arms) {
  std::vector<int> cuts;
  cuts.reserve(arms.size());
  for (const ArmAudit* arm : arms) cuts.push_back(arm->row.arm.cut);
  return cuts;
}

std::vector<TreatmentAudit> by_treatment(const Audit& audit) {
  std::vector<TreatmentAudit> treatments;
  for (const ArmAudit& arm : audit.arms) {
    if (!arm.worst.difference.half_width) continue;
    if (treatments.empty() || treatments.back().treatment != arm.row.arm.treatment) {
      treatments.push_back({arm.row.arm.treatment, {}});
    }
    treatments.back().arms.push_back(&arm);
  }
  return treatments;
}

/// "the gap between best and worst widens at cuts 5 and 6, most at cut 6: 0.150 to 0.420, ...".
std::string shown_change(const std::string& what, const std::vector<const ArmAudit*>& arms, Change ArmAudit::*change) {
  const ArmAudit* most = *std::max_element(arms.begin(), arms.end(), [&](const ArmAudit* a, const ArmAudit* b) {
    return std::abs((a->*change).difference.mean) < std::abs((b->*change).difference.mean);
  });
  return fmt::format("{} at {}{}: {}", what, cuts_text(cuts_of(arms)),
                     arms.size() == 1 ? "" : fmt::format(", most at cut {}", most->row.arm.cut),
                     from_to(most->*change));
}

std::string treatment_sentence(const TreatmentAudit& treatment, const char* part) {
  const auto fall = treatment.where([](const ArmAudit& arm) { return arm.worst.falls(); });
  const auto rise = treatment.where([](const ArmAudit& arm) { return arm.worst.rises(); });
  const auto widen = treatment.where([](const ArmAudit& arm) { return arm.gap.rises(); });
  const auto narrow = treatment.where([](const ArmAudit& arm) { return arm.gap.falls(); });
  Cells found;
  const auto tell = [&](const std::string& what, const std::vector<const ArmAudit*>& arms, Change ArmAudit::*change) {
    if (!arms.empty()) found.push_back(shown_change(what, arms, change));
  };
  tell(fmt::format("the worst {} falls", part), fall, &ArmAudit::worst);
  tell(fmt::format("the worst {} rises", part), rise, &ArmAudit::worst);
  tell("the gap between best and worst widens", widen, &ArmAudit::gap);
  tell("the gap between best and worst narrows", narrow, &ArmAudit::gap);
  if (found.empty()) {
    found.push_back(fmt::format("no change of the worst {} or of the gap between best and worst is shown", part));
  }
  return fmt::format("<b>{}</b>: {}.", html_escape(treatment.treatment), fmt::join(found, "; "));
}

/// What to keep to, where something is shown to lose.
std::string advice(const Audit& audit) {
  Cells safe;
  bool any_loss = false;
  for (const TreatmentAudit& treatment : by_treatment(audit)) {
    if (!treatment.arms.front()->carries_over) continue;
    const auto quiet = treatment.where([](const ArmAudit& arm) {
      return !arm.worst.falls() &&
             std::none_of(arm.parts.begin(), arm.parts.end(), [](const PartEffect& p) { return p.accuracy.falls(); });
    });
    any_loss = any_loss || quiet.size() < treatment.arms.size();
    if (!quiet.empty()) {
      safe.push_back(fmt::format("{} at {}", html_escape(treatment.treatment), cuts_text(cuts_of(quiet))));
    }
  }
  if (!any_loss) return "";
  if (safe.empty()) {
    return fmt::format("<p><b>What to do:</b> whatever is carried over loses a {}: train anew where it matters.</p>\n",
                       part_word(audit.by));
  }
  return fmt::format(
      "<p><b>What to do:</b> where every {} matters, keep to what is shown to lose none: {}. Not shown is no proof: "
      "more "
      "seeds and test images show smaller losses.</p>\n",
      part_word(audit.by), fmt::join(safe, "; "));
}

std::string hidden_losses(const Audit& audit) {
  Cells items;
  for (const ArmAudit& arm : audit.arms) {
    if (!arm.hides_a_loss()) continue;
    Cells losing;
    for (const PartEffect& part : arm.parts) {
      if (part.accuracy.falls()) losing.push_back(named_difference(part));
    }
    items.push_back(fmt::format("{}: {}", arm_text(arm), fmt::join(losing, ", ")));
  }
  const char* part = part_word(audit.by);
  if (items.empty()) {
    return fmt::format("<p>No arm loses a {} while its mean over all images is not shown to lose.</p>\n", part);
  }
  return fmt::format("<p>A {} is shown to lose where the mean over all images is not:</p>\n", part) + list_items(items);
}

std::string thin_note(const Audit& audit) {
  if (audit.thin.empty()) return "";
  Cells named;
  for (const ThinPart& part : audit.thin) {
    if (named.size() < 20) named.push_back(fmt::format("{} ({})", html_escape(part.name), part.images));
  }
  if (audit.thin.size() > named.size()) named.push_back(fmt::format("{} more", audit.thin.size() - named.size()));
  return fmt::format(
      "<p class=\"warn\">Too few test images to say anything, fewer than {}, and left out: {}. Add test images of "
      "{}.</p>\n",
      kFewestImages, fmt::join(named, ", "), audit.thin.size() == 1 ? "it" : "them");
}

std::string base_and_arm(const Change& change) {
  return fmt::format("{:.3f} &rarr; {:.3f}", change.base, change.treated);
}

std::string worst_and_gap_table(const Audit& audit) {
  std::vector<Cells> rows;
  for (const ArmAudit& arm : audit.arms) {
    if (arm.parts.empty()) continue;
    const auto known = std::find_if(arm.parts.begin(), arm.parts.end(), [](const PartEffect& part) {
      return part.accuracy.difference.half_width.has_value();  // a single pair says nothing of what a part loses
    });
    const bool both = arm.worst.difference.units > 0;
    rows.push_back({html_escape(arm.row.arm.treatment), std::to_string(arm.row.arm.cut), html_escape(arm.worst_part()),
                    both ? base_and_arm(arm.worst) : "", both ? html_difference(arm.worst.difference) : "",
                    both ? base_and_arm(arm.gap) : "", both ? html_difference(arm.gap.difference, Worse::above) : "",
                    known == arm.parts.end() ? "not enough pairs"
                                             : "<span class=\"keep\">" + named_difference(*known) + "</span>"});
  }
  return html_table({"treatment", "cut", "worst", "base &rarr; arm", "change", "gap", "change", "loses most"}, rows,
                    {1, 3, 4, 5, 6});
}

std::string every_part(const Audit& audit) {
  const char* part = part_word(audit.by);
  if (audit.parts.size() > kMostListedParts) {
    return fmt::format("<p class=\"note\">Every {0}: <code>graft study export --by-{0}</code>.</p>\n", part);
  }
  std::vector<Cells> rows;
  for (const ArmAudit& arm : audit.arms) {
    for (const PartEffect& effect : arm.parts) {
      const Change& change = effect.accuracy;
      rows.push_back({html_escape(arm.row.arm.treatment), std::to_string(arm.row.arm.cut), html_escape(effect.name),
                      fmt::format("{:.4f}", change.base), fmt::format("{:.4f}", change.treated),
                      html_difference(change.difference), std::to_string(change.difference.units)});
    }
  }
  return fmt::format("<details class=\"print\"><summary>Every {} ({})</summary>\n{}</details>\n", part,
                     audit.parts.size(),
                     html_table({"treatment", "cut", part, "base", "arm", "difference", "n"}, rows, {1, 3, 4, 5, 6}));
}

std::string how_it_is_counted(const Audit& audit, const ReportData& data) {
  const char* part = part_word(audit.by);
  return fmt::format(
      "<p class=\"note\">Accuracy on each {0}&#39;s test images, arm minus base, paired as above; networks that did "
      "not "
      "train are left out. Intervals of {1} are at {2:.4g}%: all {3} of an arm hold together (Bonferroni). Worst and "
      "gap "
      "(best minus worst) are each network&#39;s own, their intervals at {4:.4g}%: {5} of a treatment hold together. "
      "Treatments are not counted together. Named is the {0} with the lowest mean. Chance alone makes a gap between "
      "{1} "
      "that are alike, in base as in the arm.</p>\n",
      part, parts_word(audit.by), 100.0 * audit.level, audit.parts.size(), 100.0 * audit.extremes_level,
      data.cuts.size() == 1 ? "those of the one cut" : fmt::format("all {} cuts", data.cuts.size()));
}

}  // namespace

std::string audit_section(AuditBy by, const ReportData& data, const Manifest& manifest) {
  const Audit audit = audit_by(by, data, manifest);
  if (audit.parts.empty() && audit.thin.empty()) return "";
  std::string text = fmt::format("<h2>By {}</h2>\n", part_word(by));
  if (audit.parts.empty()) return text + thin_note(audit);
  Cells sentences;
  for (const TreatmentAudit& treatment : by_treatment(audit)) {
    sentences.push_back(treatment_sentence(treatment, part_word(by)));
  }
  text += advice(audit) + hidden_losses(audit) + thin_note(audit);
  if (!sentences.empty()) text += list_items(sentences);
  return text + worst_and_gap_table(audit) + how_it_is_counted(audit, data) + every_part(audit);
}

std::string audit_warning(AuditBy by, const ReportData& data, const Manifest& manifest, const Arm& arm) {
  const Audit audit = audit_by(by, data, manifest);
  const auto found =
      std::find_if(audit.arms.begin(), audit.arms.end(), [&](const ArmAudit& a) { return a.row.arm == arm; });
  if (found == audit.arms.end()) return "";
  Cells losing;
  for (const PartEffect& part : found->parts) {
    if (part.accuracy.falls() && losing.size() < 5) losing.push_back(named_difference(part));
  }
  if (losing.empty()) return "";
  return fmt::format("<p><b>Before you use it:</b> it loses on the {} {} (see <i>By {}</i>).</p>",
                     losing.size() == 1 ? part_word(by) : parts_word(by), fmt::join(losing, ", "), part_word(by));
}

}  // namespace graft
