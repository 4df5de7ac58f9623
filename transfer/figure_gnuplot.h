#pragma once

#include <string>

namespace graft {

/// Runs a gnuplot script that writes one SVG to its standard output, without the user's own gnuplot settings. Throws
/// Error(failure) if gnuplot is not installed (naming the package) or rejects the script (with its message).
std::string run_gnuplot(const std::string& script);

/// What gnuplot wrote, fit to stand inside a page beside others: from <svg on, drawn in the surrounding text's colour
/// where gnuplot drew black and in the page's (the CSS variable --page) where it drew white, ids led by `prefix` so
/// that no two figures share one, named `label` for those who listen.
std::string inline_svg(const std::string& svg, const std::string& prefix, const std::string& label);

/// The same figure as a file of its own, on white.
std::string standalone_svg(const std::string& inlined);

/// The rows of a table under a name that a script's plots call by $name.
std::string gnuplot_block(const std::string& name, const std::string& rows);

/// A string as gnuplot reads it between double quotes, its enhanced markup off.
std::string gnuplot_quoted(const std::string& text);

/// Every `from` in the text becomes `to`.
void replace_all(std::string& text, const std::string& from, const std::string& to);

}  // namespace graft
