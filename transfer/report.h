#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "transfer/record.h"
#include "transfer/study.h"

namespace graft {

/// Writes report.html and figures/*.svg into a results folder from its study.yaml, manifest.json and results.jsonl
/// alone: the same three files give the same bytes. The page needs nothing beside itself. Throws Error(data) if a file
/// is missing or damaged, Error(failure) if gnuplot is missing or the folder cannot be written.
void write_report(const std::filesystem::path& folder);

/// The table that goes to stdout: for every treatment and cut the mean top-1, the runs behind it, the paired difference
/// to base with its 95% interval, and what did not train or failed.
std::string report_table(const Study& study, const std::vector<RunResult>& results);

}  // namespace graft
