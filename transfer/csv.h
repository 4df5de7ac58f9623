#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace graft {

/// One record of a CSV file.
struct CsvRecord {
  std::int64_t line = 0;  ///< of its first character, from 1
  std::vector<std::string> cells;
};

/// The records of comma-separated text (RFC 4180): cells may stand in double quotes, a quote within is doubled, lines
/// end with LF or CRLF. A byte-order mark is skipped, and so are empty lines. `name` is the file's, for errors. Throws
/// Error(data) "NAME:LINE: ..." for a quote that is not closed or stands where none may.
std::vector<CsvRecord> parse_csv(const std::string& text, const std::string& name);

}  // namespace graft
