#include "engine/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/checkpoint.h"
#include "engine/io/safetensors_file.h"
#include "engine/io/sha256.h"
#include "engine/io/stored_tensor.h"

namespace graft {
namespace {

std::vector<std::byte> host_copy(const Tensor& tensor) {
  std::vector<std::byte> bytes(tensor.nbytes());
  if (!bytes.empty()) tensor.backend().copy_to_host(tensor, bytes.data());
  return bytes;
}

/// The file's tensor for `named`, of its shape and a dtype that converts.
const CheckpointTensor& entry_of(const Checkpoint& file, const NamedVariable& named) {
  const CheckpointTensor* entry = file.find(named.name);
  const std::vector<std::int64_t> wanted = stored_shape(named);
  if (entry == nullptr) {
    fail(ErrorKind::data, "{}: has no tensor '{}' of shape {}; is it a checkpoint of this model?", file.path().string(),
         named.name, shape_text(wanted));
  }
  if (entry->shape != wanted) {
    fail(ErrorKind::data, "{}: tensor '{}' has shape {}, the model wants {}; is it a checkpoint of this model?",
         file.path().string(), named.name, shape_text(entry->shape), shape_text(wanted));
  }
  if (!can_load(*entry, named)) {
    fail(ErrorKind::data, "{}: tensor '{}' is {}, which does not convert to the model's {}", file.path().string(),
         named.name, entry->dtype, name_of(named.variable.dtype()));
  }
  return *entry;
}

}  // namespace

void save_tensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                  const std::map<std::string, std::string>& metadata) {
  // Larger elements first keeps every tensor aligned to its element.
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorToWrite& a, const TensorToWrite& b) {
    return size_of(a.entry.dtype) > size_of(b.entry.dtype);
  });
  std::vector<SafetensorsHeaderEntry> entries;
  entries.reserve(tensors.size());
  for (const TensorToWrite& tensor : tensors) entries.push_back(tensor.entry);
  const std::string header = safetensors_header(entries, metadata);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(header)));
  for (const TensorToWrite& tensor : tensors) {
    tensor.for_each_piece([&file](std::span<const std::byte> piece) { file.write(piece); });
  }
  file.commit();
}

void save_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables,
                const std::map<std::string, std::string>& metadata) {
  std::vector<TensorToWrite> tensors;
  tensors.reserve(variables.size());
  for (const NamedVariable& named : variables) {
    tensors.push_back({.entry = {.name = named.name, .dtype = named.variable.dtype(), .shape = stored_shape(named)},
                       .for_each_piece = [&named](const TakePiece& take) { for_each_stored_piece(named, take); }});
  }
  save_tensors(path, std::move(tensors), metadata);
}

void load_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables) {
  const std::unique_ptr<Checkpoint> file = open_checkpoint(path);
  // All are checked before any is changed.
  std::vector<const CheckpointTensor*> entries;
  entries.reserve(variables.size());
  for (const NamedVariable& named : variables) entries.push_back(&entry_of(*file, named));
  for (std::size_t i = 0; i < variables.size(); ++i) load_stored(*file, *entries[i], variables[i]);
}

std::map<std::string, std::string> read_metadata(const std::filesystem::path& path) {
  return SafetensorsFile(path).metadata();
}

std::string hash_state(const std::vector<NamedVariable>& variables) {
  Sha256 sha;
  for (const NamedVariable& named : variables) {
    const Tensor& value = named.variable.value();
    sha.update(fmt::format("{}\n{} {}\n", named.name, name_of(value.dtype()), value.shape().str()));
    sha.update(host_copy(value));
  }
  return sha.hex();
}

}  // namespace graft
