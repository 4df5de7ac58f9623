#pragma once

#include <filesystem>
#include <string>

#include "models/backbone.h"
#include "transfer/study.h"

namespace graft {

/// Where a study keeps the stages of its published weights: FOLDER/source.safetensors, under the names, shapes and
/// layout that its own networks are kept in.
std::filesystem::path source_weights_path(const std::filesystem::path& study_folder);

/// SHA-256 of the files of study.source_checkpoint, hex; "" for a study without. Throws Error(data) if they cannot be
/// read.
std::string hash_source_weights(const Study& study);

/// Throws Error(data), naming file and tensor, unless the study's published weights fit the stages of `network`, a
/// backbone of the study. Reads no weights.
void check_source_weights(const Study& study, const Backbone& network);

/// Gives the stages of `network`, a backbone of the study, the study's published weights. Its head gets arbitrary
/// values. Throws Error(data) naming the file and what does not fit.
void read_source_weights(const Study& study, Backbone& network);

/// Writes the stages of a network that read_source_weights filled to source_weights_path.
void keep_source_weights(const Backbone& network, const std::filesystem::path& study_folder);

}  // namespace graft
