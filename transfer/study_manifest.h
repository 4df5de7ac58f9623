#pragma once

#include <filesystem>
#include <memory>

#include "models/backbone.h"
#include "transfer/manifest.h"
#include "transfer/runner.h"

namespace graft {

/// What a folder is about to be made from.
Manifest describe_study(const RunnerOptions& options, const PreparedStudy& prepared);
/// Brings a folder's study.yaml, unless it is there, and its manifest.json up to date with this start: what earlier
/// starts noted stays. Returns the manifest. Throws Error(failure) if the folder cannot be written.
Manifest begin_manifest(const std::filesystem::path& folder, const RunnerOptions& options, Manifest manifest);

/// A network as large as those of the study, to look at.
std::shared_ptr<Backbone> example_network(const Study& study, const StudyData& data, Backend& backend);
/// Brings the source's published weights into the folder, where runs read them, and notes their hash; of a study
/// without, nothing. Throws Error(data) for a file that does not fit, FolderError if the folder cannot be written.
void import_source(const RunnerOptions& options, const PreparedStudy& prepared, const std::filesystem::path& folder,
                   Manifest& manifest);

}  // namespace graft
