#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "transfer/html.h"
#include "transfer/report_page.h"

// The part of the page that says where the numbers come from and how to have them again.
namespace graft {
namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

std::string hash_span(const std::string& hash) { return "<span class=\"hash\">" + html_escape(hash) + "</span>"; }

/// A word as a shell reads it back.
std::string shell_quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./=:,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string command_text(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  quoted.reserve(words.size());
  for (const std::string& word : words) quoted.push_back(shell_quoted(word));
  return fmt::format("{}", fmt::join(quoted, " "));
}

bool without_effect(const TrainingSettings& training, const std::string& key) {
  if (key == "training.gamma") return training.schedule != "step";
  return training.optimizer != "sgd" && (key == "training.momentum" || key == "training.nesterov");
}

std::string settings_section(const Study& study) {
  Entries entries;
  for (const auto& [key, value] : settings_of(study)) {
    if (value != "[]" && !without_effect(study.training, key))
      entries.emplace_back(html_escape(key), html_escape(value));
  }
  return "<h2>Settings</h2>\n" + html_definitions(entries);
}

std::string splits_table(const Manifest& manifest) {
  std::vector<std::vector<std::string>> rows;
  for (const ManifestSplit& split : manifest.splits) {
    rows.push_back({html_escape(split.name), html_escape(fmt::format("{}", fmt::join(split.source, ", "))),
                    html_escape(fmt::format("{}", fmt::join(split.target, ", "))),
                    hash_span(split.sha256.substr(0, 16))});
  }
  return "<h3>Splits of the classes</h3>\n" +
         html_table({"split", "A, source", "B, target", "SHA-256, first 16 digits"}, rows, {});
}

std::string versions_text(const std::map<std::string, std::string>& versions) {
  std::vector<std::string> parts;
  parts.reserve(versions.size());
  for (const auto& [library, version] : versions) parts.push_back(fmt::format("{} {}", library, version));
  return html_escape(fmt::format("{}", fmt::join(parts, ", ")));
}

Entries provenance(const Manifest& manifest) {
  Entries entries{{"device", html_escape(fmt::format("{} ({})", manifest.device_name, manifest.device_kind))},
                  {"threads of one run", std::to_string(manifest.threads)},
                  {"runs at a time", std::to_string(manifest.jobs)},
                  {"study.yaml", hash_span(manifest.study_sha256)}};
  for (const auto& [part, hash] : manifest.data) {
    entries.emplace_back(html_escape(manifest.dataset + ", " + part), hash_span(hash));
  }
  if (manifest.subgroups) {
    entries.emplace_back(html_escape("subgroups, " + manifest.subgroups->file), hash_span(manifest.subgroups->sha256));
  }
  const std::map<std::string, std::string> subjects{{"data", manifest.dataset + ", licence"},
                                                    {"source_data", "source data, licence"},
                                                    {"source_weights", "source weights, licence"}};
  for (const auto& [what, license] : manifest.licenses) {
    const auto subject = subjects.find(what);
    entries.emplace_back(html_escape(subject == subjects.end() ? what : subject->second), html_escape(license));
  }
  for (const ManifestBinary& binary : manifest.binaries) {
    entries.emplace_back("program", hash_span(binary.sha256));
    entries.emplace_back("with", versions_text(binary.versions));
  }
  return entries;
}

std::string weights_table(const Manifest& manifest) {
  if (manifest.weights.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [run, hash] : manifest.weights) rows.push_back({hash_span(run), hash_span(hash)});
  return fmt::format("<details><summary>Weights ({})</summary>\n{}</details>\n", rows.size(),
                     html_table({"of", "SHA-256"}, rows, {}));
}

std::string again_section(const Manifest& manifest) {
  std::string made;
  for (const auto& words : manifest.command_lines) made += html_escape(command_text(words)) + "\n";
  std::string text =
      "<h2>How to make this page again</h2>\n<p>From this folder&#39;s <code>study.yaml</code>, "
      "<code>manifest.json</code> and <code>results.jsonl</code> alone, byte for byte:</p>\n"
      "<pre>graft study report .</pre>\n";
  if (!made.empty()) text += "<p>The results themselves were made by</p>\n<pre>" + made + "</pre>\n";
  return text +
         "<p class=\"note\">The same program, library versions, kind of device, threads a run and seeds give the same "
         "bits "
         "again; how many runs go at a time changes nothing. Runs that are in the folder already are not trained "
         "again.</p>\n";
}

}  // namespace

std::string record_sections(const ReportData& data, const Manifest& manifest) {
  return settings_section(data.study) + "<h2>Provenance</h2>\n" + html_definitions(provenance(manifest), true) +
         splits_table(manifest) + weights_table(manifest) + again_section(manifest);
}

}  // namespace graft
