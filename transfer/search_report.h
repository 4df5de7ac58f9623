#pragma once

#include <string>

#include "transfer/policy_search.h"

namespace graft {

/// What a finished search says: to be read (aligned tables, then sentences) and by programs.
std::string search_text(const SearchOutcome& outcome);
/// One JSON object, see docs/recommending.md. Two searches that differ in nothing but clocks differ in `seconds` alone.
std::string search_json(const SearchOutcome& outcome);
/// The line that a search's record ends with: the object's recommendation and what it rests on.
std::string search_conclusion(const SearchOutcome& outcome);

/// "" or what time kept the search from looking at.
std::string not_looked_at(const SearchOutcome& outcome);

}  // namespace graft
