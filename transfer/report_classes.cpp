#include <fmt/format.h>

#include <algorithm>

#include "transfer/class_audit.h"
#include "transfer/html.h"
#include "transfer/report_page.h"

// The part of the page that says which classes a mean over classes hides.
namespace graft {
namespace {

using Cells = std::vector<std::string>;

// A table of every class and arm with more classes is for a program to read.
constexpr std::size_t kMostListedClasses = 100;

std::string named_difference(const ClassEffect& effect) {
  return fmt::format("{} {}", html_escape(effect.name), html_difference(effect.difference));
}

std::string range_text(const std::array<double, 2>& range) {
  return fmt::format("{:.3f} &ndash; {:.3f}", range[0], range[1]);
}

std::string hidden_losses(const std::vector<ArmAudit>& audits) {
  std::string items;
  for (const ArmAudit& audit : audits) {
    if (!audit.hides_a_loss()) continue;
    Cells classes;
    for (const ClassEffect& effect : audit.classes) {
      if (effect.loses()) classes.push_back(named_difference(effect));
    }
    items += fmt::format("<li>{} at cut {}: {}</li>\n", html_escape(audit.row.arm.treatment), audit.row.arm.cut,
                         fmt::join(classes, ", "));
  }
  if (items.empty()) return "<p>No arm loses a class while its mean over all classes is not shown to lose.</p>\n";
  return "<p>A class is shown to lose where the mean over all classes is not:</p>\n<ul>\n" + items + "</ul>\n";
}

std::string extremes_table(const std::vector<ArmAudit>& audits) {
  std::vector<Cells> rows;
  for (const ArmAudit& audit : audits) {
    if (audit.classes.empty()) continue;
    std::vector<const ClassEffect*> known;  // a single pair says nothing of what a class loses
    for (const ClassEffect& effect : audit.classes) {
      if (effect.difference.half_width) known.push_back(&effect);
    }
    rows.push_back({html_escape(audit.row.arm.treatment), std::to_string(audit.row.arm.cut),
                    range_text(audit.base_range()), range_text(audit.treated_range()),
                    known.empty() ? "not enough pairs" : named_difference(*known.front()),
                    known.empty() ? "" : named_difference(*known.back())});
  }
  return html_table({"treatment", "cut", "base: worst &ndash; best class", "arm: worst &ndash; best class",
                     "loses most", "gains most"},
                    rows, 1, 6);
}

std::string every_class(const std::vector<ArmAudit>& audits, std::size_t classes) {
  if (classes > kMostListedClasses) {
    return "<p class=\"note\">Every class: <code>graft study export --by-class</code>.</p>\n";
  }
  std::vector<Cells> rows;
  for (const ArmAudit& audit : audits) {
    for (const ClassEffect& effect : audit.classes) {
      rows.push_back({html_escape(audit.row.arm.treatment), std::to_string(audit.row.arm.cut), html_escape(effect.name),
                      fmt::format("{:.4f}", effect.base), fmt::format("{:.4f}", effect.treated),
                      html_difference(effect.difference), std::to_string(effect.difference.units)});
    }
  }
  return fmt::format("<details><summary>Every class ({})</summary>\n{}</details>\n", classes,
                     html_table({"treatment", "cut", "class", "base", "arm", "difference", "n"}, rows, 3, 7));
}

}  // namespace

std::string class_section(const ReportData& data, const Manifest& manifest) {
  const std::vector<ArmAudit> audits = audit_classes(data, manifest);
  std::size_t classes = 0;
  for (const ArmAudit& audit : audits) classes = std::max(classes, audit.classes.size());
  if (classes == 0) return "";
  return "<h2>By class</h2>\n" + hidden_losses(audits) + extremes_table(audits) +
         fmt::format(
             "<p class=\"note\">Accuracy on each class&#39;s test images, arm minus base, paired as above; networks "
             "that "
             "did not train are left out. Intervals are at {:.4g}%: all {} classes of an arm hold together "
             "(Bonferroni), arms are not counted together.</p>\n",
             100.0 * (1.0 - 0.05 / static_cast<double>(classes)), classes) +
         every_class(audits, classes);
}

}  // namespace graft
