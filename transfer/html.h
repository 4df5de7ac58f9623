#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// Text as it stands between tags or in a quoted attribute.
std::string html_escape(const std::string& text);

/// A table inside a container that scrolls sideways on a narrow screen; cells are HTML, the columns `numbers` stand to
/// the right.
std::string html_table(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
                       const std::set<std::size_t>& numbers);

/// <dl> of keys and values, both HTML; side by side unless `long_values`.
std::string html_definitions(const std::vector<std::pair<std::string, std::string>>& entries, bool long_values = false);

/// The style sheet of a page: light and dark, from 320 pixels up.
const char* html_style();

}  // namespace graft
