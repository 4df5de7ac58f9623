#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "transfer/record.h"
#include "transfer/study.h"

namespace graft {

/// The files of a report by their names in the results folder, report.html and figures/*.svg, made from the folder's
/// study.yaml, manifest.json and results.jsonl alone: the same three give the same bytes. The page needs nothing beside
/// itself. Throws Error(data) if a file is missing or damaged, Error(failure) if gnuplot is missing.
std::map<std::string, std::string> make_report(const std::filesystem::path& folder);

/// Writes them. Throws Error(failure) if the folder cannot be written, and as make_report does.
void write_report(const std::filesystem::path& folder);

/// The table that goes to stdout: for every treatment and cut the mean top-1, the runs behind it, the paired difference
/// to base with its 95% interval, and what did not train or failed.
std::string report_table(const Study& study, const std::vector<RunResult>& results);

}  // namespace graft
