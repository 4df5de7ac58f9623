#pragma once

#include <span>
#include <string>
#include <string_view>

namespace graft {

/// The name of `known` that `word` was most likely meant to be: the least number of insertions, deletions,
/// substitutions and swaps of neighbouring letters (Damerau 1964, without overlapping edits), case ignored; the first
/// of equals. "" iff `known` is empty.
std::string nearest_name(std::string_view word, std::span<const std::string> known);

}  // namespace graft
