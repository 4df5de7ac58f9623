#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/autograd/named_variable.h"
#include "engine/io/safetensors_file.h"
#include "engine/io/stored_tensor.h"

namespace graft {

/// Writes variables under their public names, shapes and layouts to a safetensors file
/// (huggingface.co/docs/safetensors): a rank-4 "weight" [O, KH, KW, I] is stored as OIHW. Atomic. Throws Error(failure)
/// naming the file.
void save_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables,
                const std::map<std::string, std::string>& metadata = {});

/// A tensor to be written: its place in the header and what hands its bytes over, piece by piece.
struct TensorToWrite {
  SafetensorsHeaderEntry entry;
  std::function<void(const TakePiece&)> for_each_piece;
};
/// The same for tensors that come from anywhere. Nothing of them is kept.
void save_tensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                  const std::map<std::string, std::string>& metadata = {});

/// Loads values from a checkpoint of any format (engine/io/checkpoint.h) into `variables` by name, converting layout
/// and floating dtype. Every variable must be in the file with the right shape: throws Error(data) naming the file, the
/// tensor and both shapes. Tensors of the file that nobody asked for are left.
void load_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables);

/// The file's metadata. Throws Error(data) if it is no safetensors file.
std::map<std::string, std::string> read_metadata(const std::filesystem::path& path);

/// SHA-256 over names, shapes, dtypes and bytes of variables, in order, as they are on the backend: the hash of frozen
/// tensors that a run records before and after.
std::string hash_state(const std::vector<NamedVariable>& variables);

}  // namespace graft
