#pragma once

#include <filesystem>
#include <memory>

#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "engine/io/zip_archive.h"

// The readers behind open_checkpoint, one a format. Each throws FormatFault or an Error(data) that names the file.
namespace graft {

std::unique_ptr<Checkpoint> open_safetensors(const std::filesystem::path& path);
/// An index.json (huggingface.co/docs/safetensors, "Sharded"): a JSON object whose "weight_map" gives the file, in the
/// same folder, of each tensor.
std::unique_ptr<Checkpoint> open_sharded(const std::filesystem::path& index, const CheckpointOptions& options);

/// True iff a zip archive is one that torch.save wrote.
bool is_torch_zip(const ZipArchive& archive);
/// torch.save's form since PyTorch 1.6: a zip archive of the pickle "data.pkl" and of one entry a storage, "data/KEY".
std::unique_ptr<Checkpoint> open_torch_zip(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                           const ZipArchive& archive, const CheckpointOptions& options);
/// torch.save's form from 2017 to PyTorch 1.5: five pickles, then the storages as a stream.
std::unique_ptr<Checkpoint> open_torch_legacy(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                              const CheckpointOptions& options);

}  // namespace graft
