#include "engine/io/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/element_convert.h"
#include "engine/io/safetensors_file.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

/// True for convolution weights, the tensors whose layout differs between memory and disk.
bool is_image_weight(const NamedVariable& named) {
  return named.variable.shape().rank() == 4 && named.name.ends_with("weight");
}

std::vector<std::int64_t> disk_shape(const NamedVariable& named) {
  const auto dims = named.variable.shape().dims();
  std::vector<std::int64_t> shape(dims.begin(), dims.end());
  if (is_image_weight(named)) std::rotate(shape.begin() + 1, shape.begin() + 3, shape.end());
  return shape;
}

std::string text_of(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

std::vector<std::byte> host_copy(const Tensor& tensor) {
  std::vector<std::byte> bytes(tensor.nbytes());
  if (!bytes.empty()) tensor.backend().copy_to_host(tensor, bytes.data());
  return bytes;
}

std::vector<std::byte> disk_bytes(const NamedVariable& named) {
  const Tensor& value = named.variable.value();
  std::vector<std::byte> bytes = host_copy(value);
  if (!is_image_weight(named)) return bytes;
  std::vector<std::byte> turned(bytes.size());
  ohwi_to_oihw(bytes, value.shape(), size_of(value.dtype()), turned);
  return turned;
}

void check_entry(const SafetensorsFile& file, const NamedVariable& named) {
  const SafetensorsEntry* entry = file.find(named.name);
  const std::vector<std::int64_t> wanted = disk_shape(named);
  if (entry == nullptr) {
    fail(ErrorKind::data, "{}: has no tensor '{}' of shape {}; is it a checkpoint of this model?", file.path().string(),
         named.name, text_of(wanted));
  }
  if (entry->shape != wanted) {
    fail(ErrorKind::data, "{}: tensor '{}' has shape {}, the model wants {}; is it a checkpoint of this model?",
         file.path().string(), named.name, text_of(entry->shape), text_of(wanted));
  }
  const DType dtype = named.variable.dtype();
  if (!entry->known || !can_convert(*entry->known, dtype)) {
    fail(ErrorKind::data, "{}: tensor '{}' is {}, which does not convert to the model's {}", file.path().string(),
         named.name, entry->dtype, name_of(dtype));
  }
}

void load_entry(const SafetensorsFile& file, const NamedVariable& named) {
  const SafetensorsEntry& entry = *file.find(named.name);
  Variable variable = named.variable;
  const Tensor& value = variable.value();
  std::vector<std::byte> bytes(value.nbytes());
  convert_elements(file.bytes(entry), *entry.known, bytes, value.dtype());
  if (is_image_weight(named)) {
    std::vector<std::byte> turned(bytes.size());
    oihw_to_ohwi(bytes, value.shape(), size_of(value.dtype()), turned);
    bytes.swap(turned);
  }
  if (!bytes.empty()) value.backend().copy_from_host(bytes.data(), value);
  variable.mark_changed();
}

}  // namespace

void save_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables,
                const std::map<std::string, std::string>& metadata) {
  // Larger elements first keeps every tensor aligned to its element.
  std::vector<NamedVariable> sorted = variables;
  std::stable_sort(sorted.begin(), sorted.end(), [](const NamedVariable& a, const NamedVariable& b) {
    return size_of(a.variable.dtype()) > size_of(b.variable.dtype());
  });
  std::vector<SafetensorsHeaderEntry> tensors;
  tensors.reserve(sorted.size());
  for (const NamedVariable& named : sorted) {
    tensors.push_back({.name = named.name, .dtype = named.variable.dtype(), .shape = disk_shape(named)});
  }
  const std::string header = safetensors_header(tensors, metadata);
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(header)));
  for (const NamedVariable& named : sorted) file.write(disk_bytes(named));
  file.commit();
}

void load_state(const std::filesystem::path& path, const std::vector<NamedVariable>& variables) {
  const SafetensorsFile file(path);
  // All are checked before any is changed.
  for (const NamedVariable& named : variables) check_entry(file, named);
  for (const NamedVariable& named : variables) load_entry(file, named);
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
