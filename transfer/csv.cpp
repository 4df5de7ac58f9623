#include "transfer/csv.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : text_(text), name_(name) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
  }

  std::vector<CsvRecord> read() {
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      CsvRecord record = read_record();
      if (record.cells.size() > 1 || !record.cells[0].empty()) records.push_back(std::move(record));
    }
    return records;
  }

 private:
  CsvRecord read_record() {
    CsvRecord record{.line = line_, .cells = {}};
    while (true) {
      record.cells.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted_cell() : plain_cell());
      if (at_ >= text_.size()) return record;
      if (text_[at_++] == ',') continue;
      ++line_;
      return record;
    }
  }

  /// Up to the comma or the line's end, which stays to be read.
  std::string plain_cell() {
    const std::size_t end = std::min(text_.find_first_of(",\n\"", at_), text_.size());
    if (end < text_.size() && text_[end] == '"') {
      fail(ErrorKind::data, "{}:{}: a quote within a cell: put the whole cell in quotes and double it", name_, line_);
    }
    std::string cell(text_.substr(at_, end - at_));
    if (!cell.empty() && cell.back() == '\r' && (end == text_.size() || text_[end] == '\n')) cell.pop_back();
    at_ = end;
    return cell;
  }

  std::string quoted_cell() {
    const std::int64_t start = line_;
    std::string cell;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"' && !next_is('"')) {
        ++at_;
        end_quoted(start);
        return cell;
      }
      if (c == '"') ++at_;
      if (c == '\n') ++line_;
      cell += c;
    }
    fail(ErrorKind::data, "{}:{}: a quote is opened and not closed", name_, start);
  }

  bool next_is(char c) const { return at_ + 1 < text_.size() && text_[at_ + 1] == c; }

  void end_quoted(std::int64_t start) {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
      fail(ErrorKind::data, "{}:{}: text after a closing quote: double a quote that is part of the cell", name_, start);
    }
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(const std::string& text, const std::string& name) {
  return CsvReader(text, name).read();
}

}  // namespace graft
