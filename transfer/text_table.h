#pragma once

#include <string>
#include <utility>
#include <vector>

namespace graft {

enum class Align { left, right };

/// Text in aligned columns, two blanks apart, for a terminal. Cells are ASCII.
class TextTable {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// One cell a column.
  void add(std::vector<std::string> row);
  /// Headings and rows, each ended by a newline and without blanks at the end.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace graft
