#include "transfer/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "transfer/figure.h"
#include "transfer/figure_style.h"
#include "transfer/html.h"
#include "transfer/report_summary.h"
#include "transfer/report_verdicts.h"

namespace graft {
namespace {

std::string class_list(const std::vector<std::string>& names) {
  return names.size() > 12 ? fmt::format("{} classes", names.size()) : fmt::format("{}", fmt::join(names, ", "));
}

std::string per_class(std::int64_t count, const char* what) {
  return count == 0 ? fmt::format("all {} images", what) : fmt::format("{} {} images a class", count, what);
}

std::string classes_of(const std::vector<std::string>& names) {
  return names.empty() ? "all classes" : "the classes " + class_list(names);
}

/// "trained on X carry over from A to B", for a source of its own.
std::string from_elsewhere(const Study& study) {
  if (!study.source_checkpoint.empty()) {
    return fmt::format("with the published weights {} carry over to {} of {}", study.source_checkpoint,
                       classes_of(study.target_classes), study.dataset);
  }
  return fmt::format("trained on {} of {} carry over to {} of {}", classes_of(study.source_classes),
                     study.source_dataset, classes_of(study.target_classes), study.dataset);
}

/// What was asked, in one sentence.
std::string question(const Study& study) {
  if (!study.source_checkpoint.empty() || !study.source_dataset.empty()) {
    return fmt::format("Which stages of {} {}, with {}?", study.model, from_elsewhere(study),
                       per_class(study.train_per_class, "training"));
  }
  std::string halves;
  if (!study.named_splits.empty()) {
    halves =
        fmt::format("one half of its classes to the other, in {} split{}{}", study.named_splits.size(),
                    study.named_splits.size() == 1 ? "" : "s", study.both_directions ? " and both directions" : "");
  } else if (study.random_splits > 0) {
    halves = fmt::format("one random half of its classes to the other, in {} split{}{}", study.random_splits,
                         study.random_splits == 1 ? "" : "s", study.both_directions ? " and both directions" : "");
  } else {
    halves = fmt::format("the classes {} to {}{}", class_list(study.source_classes), class_list(study.target_classes),
                         study.both_directions ? ", and back" : "");
  }
  return fmt::format("Which stages of {} trained on {} carry over from {}, with {}?", study.model, study.dataset,
                     halves, per_class(study.train_per_class, "training"));
}

std::string progress_note(const ReportData& data) {
  std::int64_t finished = static_cast<std::int64_t>(data.finished.size());
  if (finished >= data.expected_runs()) return "";
  return fmt::format(
      "<p class=\"warn\">This study is not complete: {} of {} networks on target halves have finished.</p>\n", finished,
      data.expected_runs());
}

std::string binary_note(const ReportData& data) {
  std::map<std::string, int> counts;
  for (const auto* runs : {&data.finished, &data.source_bases, &data.failed}) {
    for (const RunResult& run : *runs) ++counts[run.binary];
  }
  if (counts.size() < 2) return "";
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [binary, count] : counts) {
    parts.push_back(fmt::format("{} by {}", count, html_escape(binary.substr(0, 12))));
  }
  return fmt::format(
      "<p class=\"warn\">These results were made by {} different programs ({}): they may differ by "
      "rounding beside what was studied.</p>\n",
      counts.size(), fmt::join(parts, ", "));
}

/// "carry over the first 2 stages, to conv2, and keep them frozen."
std::string in_plain_words(const Arm& arm, const Study& study, const std::vector<std::string>& stages) {
  if (arm.treatment == "base") return "train anew, carry nothing over.";
  const bool blocks = study.cuts_at == CutPlaces::blocks;
  const std::string last = stage_name(stages, arm.cut);
  const std::string what = arm.cut == 1 ? fmt::format("the first {}", blocks ? "block" : "stage")
                                        : fmt::format("the first {} {}", arm.cut, name_of(study.cuts_at));
  std::string text = fmt::format("carry over {}{}", what, last.empty() ? "" : fmt::format(", to {}", last));
  if (arm.treatment == "AnB") return text + ", and keep them frozen.";
  if (arm.treatment == "AnB+") return text + ", and fine-tune them with the rest.";
  return text + fmt::format(", as {}.", arm.treatment);
}

std::string short_answer(const ReportData& data, const ReportSummary& summary, const Manifest& manifest) {
  std::string text = "<div class=\"short\">";
  const std::vector<Arm> arms = recommended_arms(data);
  const std::vector<std::string> reasons = recommendations_of(data);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    text += "<p><b>What to use:</b> " + html_escape(in_plain_words(arms[i], data.study, manifest.stages)) +
            "</p><p class=\"why\">" + html_escape(reasons[i]) + "</p>";
  }
  for (const Arm& arm : arms) {
    text +=
        audit_warning(AuditBy::subgroups, data, manifest, arm) + audit_warning(AuditBy::classes, data, manifest, arm);
  }
  text += "<p>" + html_escape(summary.in_short) + "</p>";
  return text + "</div>\n" + binary_note(data) + progress_note(data);
}

std::string findings(const ReportSummary& summary) {
  if (summary.sentences.empty()) return "";
  std::string text = "<h2>What the runs say</h2>\n<ul>\n";
  for (const std::string& sentence : summary.sentences) text += "<li>" + html_escape(sentence) + "</li>\n";
  return text + "</ul>\n";
}

std::string figure(const PageFigure& figure, const std::string& caption) {
  return "<figure>\n<div class=\"wide\">" + figure.wide + "</div>\n<div class=\"narrow\">" + figure.narrow +
         "</div>\n<figcaption>" + caption + "</figcaption>\n</figure>\n";
}

/// Names what the figure cannot show at its scale.
std::string below_note(const ReportData& data) {
  std::map<std::pair<std::string, int>, std::vector<std::string>> arms;
  for (const RunResult& run : runs_below(data, accuracy_range(data))) {
    arms[{label_of(run), run.cut}].push_back(fmt::format("{:.3f}", run.top1));
  }
  if (arms.empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [arm, values] : arms) {
    const std::string listed = values.size() <= 4 ? fmt::format("{}", fmt::join(values, ", "))
                                                  : fmt::format("{} networks, {} to {}", values.size(),
                                                                *std::min_element(values.begin(), values.end()),
                                                                *std::max_element(values.begin(), values.end()));
    parts.push_back(fmt::format("{} at cut {}: {}", arm.first, arm.second, listed));
  }
  return fmt::format(" Below the axis (triangles): {}.", fmt::join(parts, "; "));
}

std::string accuracy_caption(const ReportData& data, const Manifest& manifest) {
  std::string text =
      "Top-1 accuracy of the last epoch on the target half&#39;s test images against the cut, in the manner "
      "of figure 2 of Yosinski et al. 2014. Every network is a dot, a line goes through the means of a "
      "treatment; base is the horizontal line, the band spans its networks.";
  text += html_escape(below_note(data));
  std::vector<std::string> names;
  for (const int cut : data.cuts) {
    const std::string name = stage_name(manifest.stages, cut);
    if (!name.empty()) names.push_back(fmt::format("{} {}", cut, name));
  }
  if (!names.empty()) text += html_escape(fmt::format(" Cuts: {}.", fmt::join(names, ", ")));
  return text;
}

std::string treatments_note(const ReportData& data) {
  const bool probes =
      std::any_of(data.rows.begin(), data.rows.end(), [](const ArmRow& row) { return row.arm.treatment == "probe"; });
  const std::string text =
      "<p class=\"note\">In <b>XnY</b> the first n stages come from the base network of half X, the rest starts "
      "anew "
      "and is trained on half Y. A is the source, B the target. <b>AnB</b>: carried over and frozen; <b>AnB+</b>: "
      "carried over and fine-tuned; <b>BnB</b>, <b>BnB+</b>: the same from a base network of the target half "
      "itself, "
      "the control; <b>random</b>: the first n stages untrained and frozen; <b>base</b>: trained on the target half "
      "from the start. ";
  const std::string probe = "<b>probe</b>: nothing but a linear classifier on the first n stages' pooled outputs. ";
  return text + (probes ? probe : "") +
         "After J. Yosinski, J. Clune, Y. Bengio and H. Lipson, &ldquo;How transferable are features "
         "in "
         "deep neural networks?&rdquo;, NeurIPS 2014.</p>\n";
}

/// What the splits of one kind say.
std::string part_sections(const PagePart& part, const Manifest& manifest) {
  const ReportData& data = part.data;
  std::string text;
  if (!data.group.empty()) {
    text += fmt::format("<h2>Splits {}: {}</h2>\n", html_escape(data.group),
                        html_escape(fmt::format("{}", fmt::join(data.splits, ", "))));
  }
  const ReportSummary summary = summarize(data, manifest.stages);
  text += short_answer(data, summary, manifest) + findings(summary) + treatments_note(data);
  text += "<h2>Accuracy against the cut</h2>\n" + figure(part.accuracy, accuracy_caption(data, manifest));
  text += "<h2>Differences to base</h2>\n";
  if (!part.differences.wide.empty()) {
    text += figure(part.differences,
                   "Mean paired difference to base and its 95% interval; how they are formed stands under the table.");
  }
  return text + result_sections(data) + audit_section(AuditBy::subgroups, data, manifest) +
         audit_section(AuditBy::classes, data, manifest) + reference_section(data) + trouble_sections(data);
}

}  // namespace

std::string report_page(const std::vector<PagePart>& parts, const Manifest& manifest) {
  const ReportData& first = parts.front().data;
  const std::string title = html_escape(first.study.name);
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      title + ": which layers transfer</title>\n<style>" + html_style() + theme_style() +
      "</style>\n</head>\n<body>\n<main>\n";
  page += "<h1>" + title + "</h1>\n<p class=\"question\">" + html_escape(question(first.study)) + "</p>\n";
  for (const PagePart& part : parts) page += part_sections(part, manifest);
  return page + record_sections(first, manifest) + "</main>\n</body>\n</html>\n";
}

}  // namespace graft
