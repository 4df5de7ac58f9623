#include "engine/io/stored_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/io/element_convert.h"

namespace graft {
namespace {

/// True for convolution weights, the tensors whose layout differs between memory and disk.
bool is_image_weight(const NamedVariable& named) {
  return named.variable.shape().rank() == 4 && named.name.ends_with("weight");
}

}  // namespace

std::vector<std::int64_t> stored_shape(const NamedVariable& named) {
  const auto dims = named.variable.shape().dims();
  std::vector<std::int64_t> shape(dims.begin(), dims.end());
  if (is_image_weight(named)) std::rotate(shape.begin() + 1, shape.begin() + 3, shape.end());
  return shape;
}

std::vector<std::byte> stored_bytes(const NamedVariable& named) {
  const Tensor& value = named.variable.value();
  std::vector<std::byte> bytes(value.nbytes());
  if (!bytes.empty()) value.backend().copy_to_host(value, bytes.data());
  if (!is_image_weight(named)) return bytes;
  std::vector<std::byte> turned(bytes.size());
  ohwi_to_oihw(bytes, value.shape(), size_of(value.dtype()), turned);
  return turned;
}

bool can_load(const CheckpointTensor& tensor, const NamedVariable& named) {
  return tensor.known && can_convert(*tensor.known, named.variable.dtype());
}

void load_stored(const Checkpoint& file, const CheckpointTensor& tensor, const NamedVariable& named) {
  Variable variable = named.variable;
  const Tensor& value = variable.value();
  check(can_load(tensor, named), "{}: tensor '{}' is {}, which does not convert to {}", file.path().string(),
        tensor.name, tensor.dtype, name_of(value.dtype()));
  std::vector<std::byte> copied;
  std::optional<std::span<const std::byte>> source = file.mapped(tensor);
  if (!source) {
    copied.resize(tensor.nbytes);
    file.read(tensor, copied);
    source = copied;
  }
  std::vector<std::byte> bytes(value.nbytes());
  convert_elements(*source, *tensor.known, bytes, value.dtype());
  if (is_image_weight(named)) {
    std::vector<std::byte> turned(bytes.size());
    oihw_to_ohwi(bytes, value.shape(), size_of(value.dtype()), turned);
    bytes.swap(turned);
  }
  if (!bytes.empty()) value.backend().copy_from_host(bytes.data(), value);
  variable.mark_changed();
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace graft
