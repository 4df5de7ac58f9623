#include "engine/io/stored_tensor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/io/element_convert.h"

namespace graft {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;  // stays in a core's cache from pass to pass

/// Calls body(piece, first element) for slices of about kPieceBytes that together are `value`.
template <class Body>
void for_each_piece(const Tensor& value, const Body& body) {
  if (value.numel() == 0) return;
  if (value.nbytes() <= kPieceBytes) return body(value, 0);
  const std::size_t row_bytes = value.nbytes() / static_cast<std::size_t>(value.dim(0));
  const auto rows = static_cast<std::int64_t>(std::max<std::size_t>(1, kPieceBytes / row_bytes));
  const std::int64_t row_elements = value.numel() / value.dim(0);
  for (std::int64_t begin = 0; begin < value.dim(0); begin += rows) {
    body(value.slice(begin, std::min(begin + rows, value.dim(0))), begin * row_elements);
  }
}

/// The elements of a tensor of a known dtype: where they lie in the mapped file, or else a copy.
class FileElements {
 public:
  FileElements(const Checkpoint& file, const CheckpointTensor& tensor) : element_(size_of(*tensor.known)) {
    if (const auto mapped = file.mapped(tensor)) {
      bytes_ = *mapped;
      return;
    }
    copied_.resize(tensor.nbytes);
    file.read(tensor, copied_);
    bytes_ = copied_;
  }
  std::size_t size() const { return bytes_.size() / element_; }
  std::span<const std::byte> part(std::size_t begin, std::size_t count) const {
    return bytes_.subspan(begin * element_, count * element_);
  }

 private:
  std::size_t element_;
  std::vector<std::byte> copied_;
  std::span<const std::byte> bytes_;
};

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

void for_each_stored_piece(const NamedVariable& named, const TakePiece& take) {
  std::vector<std::byte> bytes;
  std::vector<std::byte> turned;
  for_each_piece(named.variable.value(), [&](const Tensor& piece, std::int64_t /*first*/) {
    bytes.resize(piece.nbytes());
    piece.backend().copy_to_host(piece, bytes.data());
    if (!is_image_weight(named)) return take(bytes);
    turned.resize(piece.nbytes());
    ohwi_to_oihw(bytes, piece.shape(), size_of(piece.dtype()), turned);
    take(turned);
  });
}

void for_each_converted_piece(const Checkpoint& file, const CheckpointTensor& tensor, DType dtype,
                              const TakePiece& take) {
  check(tensor.known && can_convert(*tensor.known, dtype), "{}: tensor '{}' is {}, which does not convert to {}",
        file.path().string(), tensor.name, tensor.dtype, name_of(dtype));
  const FileElements elements(file, tensor);
  if (*tensor.known == dtype) return take(elements.part(0, elements.size()));
  constexpr std::size_t kElements = kPieceBytes / sizeof(double);
  std::vector<std::byte> converted;
  for (std::size_t begin = 0; begin < elements.size(); begin += kElements) {
    const std::size_t count = std::min(kElements, elements.size() - begin);
    converted.resize(count * size_of(dtype));
    convert_elements(elements.part(begin, count), *tensor.known, converted, dtype);
    take(converted);
  }
}

bool can_load(const CheckpointTensor& tensor, const NamedVariable& named) {
  return tensor.known && can_convert(*tensor.known, named.variable.dtype());
}

void load_stored(const Checkpoint& file, const CheckpointTensor& tensor, const NamedVariable& named) {
  Variable variable = named.variable;
  const Tensor& value = variable.value();
  check(can_load(tensor, named), "{}: tensor '{}' is {}, which does not convert to {}", file.path().string(),
        tensor.name, tensor.dtype, name_of(value.dtype()));
  const FileElements elements(file, tensor);
  const DType from = *tensor.known;
  std::vector<std::byte> converted;
  std::vector<std::byte> turned;
  for_each_piece(value, [&](const Tensor& piece, std::int64_t first) {
    std::span<const std::byte> bytes =
        elements.part(static_cast<std::size_t>(first), static_cast<std::size_t>(piece.numel()));
    if (from != piece.dtype()) {
      converted.resize(piece.nbytes());
      convert_elements(bytes, from, converted, piece.dtype());
      bytes = converted;
    }
    if (is_image_weight(named)) {
      turned.resize(piece.nbytes());
      oihw_to_ohwi(bytes, piece.shape(), size_of(piece.dtype()), turned);
      bytes = turned;
    }
    piece.backend().copy_from_host(bytes.data(), piece);
  });
  variable.mark_changed();
}

std::string shape_text(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

}  // namespace graft
