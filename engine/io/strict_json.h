#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace graft {

/// An object of JSON out of a file: no key twice, nested no deeper than `max_depth`. Anything else is a FormatFault
/// that calls the text `what`.
nlohmann::json parse_strict_json(std::string_view text, int max_depth, std::string_view what);

}  // namespace graft
