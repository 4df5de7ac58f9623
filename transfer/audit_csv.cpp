#include "transfer/audit_csv.h"

#include <fmt/format.h>

namespace graft {
namespace {

/// As RFC 4180 has a cell.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string audit_csv(AuditBy by, const std::vector<RunResult>& results, const Manifest& manifest) {
  std::string text = fmt::format("run,treatment,split,source,target,n,seed,{},top1,correct,n_test\n", part_word(by));
  for (const RunResult& r : last_of_each(results)) {
    if (r.status != "ok" || counts_of(r, by).empty()) continue;
    const std::vector<std::string>& names = part_names(r, manifest, by);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto& [right, tested] = counts_of(r, by)[i];
      const double top1 = tested == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(tested);
      text += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", r.id, label_of(r), r.split, r.source, r.target, r.cut,
                          r.seed, csv_cell(names[i]), top1, right, tested);
    }
  }
  return text;
}

}  // namespace graft
