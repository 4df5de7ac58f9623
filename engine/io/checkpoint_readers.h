#pragma once

#include <filesystem>
#include <memory>

#include "engine/io/checkpoint.h"

// The readers behind open_checkpoint, one a format. Each throws Error(data) naming the file.
namespace graft {

std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path);
/// An index.json (huggingface.co/docs/safetensors, "Sharded"): a JSON object whose "weight_map" gives the file, in the
/// same folder, of each tensor.
std::unique_ptr<Checkpoint> open_sharded(const std::filesystem::path& index, const CheckpointOptions& options);

}  // namespace graft
