#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "transfer/manifest.h"
#include "transfer/statistics.h"
#include "transfer/study.h"

namespace graft {

/// Published runs that stand beside a study's own.
struct ReferenceRuns {
  std::string source;  ///< who published them
  std::string file;    ///< the name of their table
  PairUnit unit = PairUnit::seed;
  std::vector<Observation> observations;
};

/// Where a results folder keeps its reference: FOLDER/reference.csv.
std::filesystem::path reference_path(const std::filesystem::path& study_folder);

/// Copies a table to reference_path and notes it in manifest.json; `study_file` is where a relative name is looked for
/// after the current directory. Throws Error(data) if the file is missing or no table of runs (transfer/run_table.h;
/// a column `cut` counts as n, and a table without split, source and target is one of a single split).
void keep_reference(const ReferenceTable& table, const std::filesystem::path& study_file,
                    const std::filesystem::path& study_folder);

/// Throws as keep_reference does; writes nothing.
void check_reference(const ReferenceTable& table, const std::filesystem::path& study_file);

/// The runs of a folder's reference that stand beside splits of the kind `stem`: those whose splits are of that kind;
/// if it has none, in a study of one kind (`only`), all of a table of one kind. Nothing where it has no such runs, or
/// the folder no reference.
std::optional<ReferenceRuns> reference_runs(const Manifest& manifest, const std::filesystem::path& study_folder,
                                            const std::string& stem, bool only);

}  // namespace graft
