#include "transfer/text_table.h"

#include <algorithm>

#include "engine/base/error.h"

namespace graft {

void TextTable::add(std::vector<std::string> row) {
  check(row.size() == columns_.size(), "[table] a row has {} cells, the table {} columns", row.size(), columns_.size());
  rows_.push_back(std::move(row));
}

std::string TextTable::text() const {
  std::vector<std::size_t> widths;
  std::vector<std::string> headings;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    headings.push_back(columns_[c].heading);
    std::size_t width = columns_[c].heading.size();
    for (const auto& row : rows_) width = std::max(width, row[c].size());
    widths.push_back(width);
  }
  std::string text;
  const auto write = [&](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string blanks(widths[c] - cells[c].size(), ' ');
      text += columns_[c].align == Align::left ? cells[c] + blanks : blanks + cells[c];
      text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  write(headings);
  for (const auto& row : rows_) write(row);
  return text;
}

}  // namespace graft
