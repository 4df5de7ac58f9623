#include "transfer/epoch_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "engine/base/error.h"

namespace graft {
namespace {

constexpr std::string_view kHead = "epoch,train_loss,eval_loss,eval_top1,eval_top5,lr";
constexpr std::size_t kColumns = 6;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

EpochRow parse_row(std::string_view line, const std::string& name) {
  const std::vector<std::string_view> cells = split(line, ',');
  std::array<double, kColumns> values{};
  bool good = cells.size() == kColumns;
  for (std::size_t i = 0; good && i < kColumns; ++i) {
    const auto [end, error] = std::from_chars(cells[i].data(), cells[i].data() + cells[i].size(), values[i]);
    good = error == std::errc() && end == cells[i].data() + cells[i].size();
  }
  if (!good) fail(ErrorKind::data, "{}: '{}' is no line of '{}'", name, line, kHead);
  return {.epoch = std::llround(values[0]),
          .train_loss = values[1],
          .eval_loss = values[2],
          .eval_top1 = values[3],
          .eval_top5 = values[4],
          .lr = values[5]};
}

}  // namespace

std::string summary_csv(const std::vector<EpochRow>& rows) {
  std::string text = fmt::format("{}\n", kHead);
  for (const EpochRow& row : rows) {
    text += fmt::format("{},{},{},{},{},{}\n", row.epoch, row.train_loss, row.eval_loss, row.eval_top1, row.eval_top5,
                        row.lr);
  }
  return text;
}

std::vector<EpochRow> parse_summary_csv(const std::string& text, const std::string& name) {
  std::vector<std::string_view> lines = split(text, '\n');
  if (lines.empty() || lines.front() != kHead || !lines.back().empty()) {
    fail(ErrorKind::data, "{}: does not start with '{}' or does not end with a whole line", name, kHead);
  }
  std::vector<EpochRow> rows;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) rows.push_back(parse_row(lines[i], name));
  return rows;
}

const EpochRow* best_row(const std::vector<EpochRow>& rows) {
  const auto best = std::max_element(rows.begin(), rows.end(),
                                     [](const EpochRow& a, const EpochRow& b) { return a.eval_top1 < b.eval_top1; });
  return best == rows.end() ? nullptr : &*best;
}

}  // namespace graft
