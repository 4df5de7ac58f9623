#include "transfer/epoch_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "engine/base/error.h"

namespace graft {
namespace {

constexpr std::size_t kScores = 3;  // how many columns lie before the accuracies or AUROCs; behind them one

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// Quoted where a cell's text is not plain (RFC 4180).
std::string cell(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c == '\n' || c == '\r' ? ' ' : c);
  return quoted + "\"";
}

std::string cell(const std::optional<double>& value) { return value ? fmt::to_string(*value) : std::string(); }

std::string head_of(const std::vector<std::string>& classes) {
  if (classes.empty()) return "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr";
  std::string head = "epoch,train_loss,eval_loss,eval_auroc";
  for (const std::string& name : classes) head += fmt::format(",{}", cell(fmt::format("auroc {}", name)));
  return head + ",lr";
}

std::optional<std::optional<double>> parse_cell(std::string_view text, bool may_be_empty) {
  if (text.empty() && may_be_empty) return std::optional<double>();
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::optional<double>(value);
}

EpochRow parse_row(std::string_view line, const std::string& name, std::size_t classes, const std::string& head) {
  const std::vector<std::string_view> cells = split(line, ',');
  const std::size_t scores = classes == 0 ? 2 : 1 + classes;
  std::vector<std::optional<double>> values;
  bool good = cells.size() == kScores + scores + 1;
  for (std::size_t i = 0; good && i < cells.size(); ++i) {
    const auto value = parse_cell(cells[i], classes > 0 && i >= kScores && i < kScores + scores);
    good = value.has_value();
    if (good) values.push_back(*value);
  }
  if (!good) fail(ErrorKind::data, "{}: '{}' is no line of '{}'", name, line, head);
  EpochRow row{.epoch = std::llround(*values[0]),
               .train_loss = *values[1],
               .eval_loss = *values[2],
               .lr = *values[kScores + scores]};
  if (classes == 0) {
    row.eval_top1 = *values[kScores];
    row.eval_top5 = *values[kScores + 1];
  } else {
    row.eval_auroc.mean = values[kScores];
    row.eval_auroc.labels.assign(values.begin() + kScores + 1, values.end() - 1);
  }
  return row;
}

}  // namespace

std::string summary_csv(const std::vector<EpochRow>& rows, const std::vector<std::string>& multi_label_classes) {
  std::string text = head_of(multi_label_classes) + "\n";
  for (const EpochRow& row : rows) {
    text += fmt::format("{},{},{},", row.epoch, row.train_loss, row.eval_loss);
    if (multi_label_classes.empty()) {
      text += fmt::format("{},{},", row.eval_top1, row.eval_top5);
    } else {
      text += fmt::format("{},", cell(row.eval_auroc.mean));
      for (const std::optional<double>& value : row.eval_auroc.labels) text += fmt::format("{},", cell(value));
    }
    text += fmt::format("{}\n", row.lr);
  }
  return text;
}

std::vector<EpochRow> parse_summary_csv(const std::string& text, const std::string& name,
                                        const std::vector<std::string>& multi_label_classes) {
  const std::string head = head_of(multi_label_classes);
  std::vector<std::string_view> lines = split(text, '\n');
  if (lines.empty() || lines.front() != head || !lines.back().empty()) {
    fail(ErrorKind::data, "{}: does not start with '{}' or does not end with a whole line", name, head);
  }
  std::vector<EpochRow> rows;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    rows.push_back(parse_row(lines[i], name, multi_label_classes.size(), head));
  }
  return rows;
}

const EpochRow* best_row(const std::vector<EpochRow>& rows) {
  const auto best = std::max_element(rows.begin(), rows.end(),
                                     [](const EpochRow& a, const EpochRow& b) { return a.score() < b.score(); });
  return best == rows.end() ? nullptr : &*best;
}

}  // namespace graft
