#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/autograd/named_variable.h"
#include "engine/io/checkpoint.h"

namespace graft {

/// The shape that public checkpoints give a variable: a rank-4 "weight" [O, KH, KW, I] is stored as [O, I, KH, KW].
std::vector<std::int64_t> stored_shape(const NamedVariable& named);

/// Takes a piece of a tensor's bytes; the pieces come in order.
using TakePiece = std::function<void(std::span<const std::byte>)>;

/// Hands the variable's value in that layout to `take` in pieces of whole rows, about 1 MB on the host at a time
/// however large the tensor is.
void for_each_stored_piece(const NamedVariable& named, const TakePiece& take);

/// Hands the elements of a file's tensor, converted to `dtype`, to `take`: all at once where the file holds them so,
/// else in pieces of about 1 MB. Takes memory of the tensor's size only where Checkpoint::mapped has none of it. Throws
/// Error(data) if the file's part is damaged, Error unless can_convert.
void for_each_converted_piece(const Checkpoint& file, const CheckpointTensor& tensor, DType dtype,
                              const TakePiece& take);

/// True iff load_stored can bring a tensor of the file's dtype into the variable's.
bool can_load(const CheckpointTensor& tensor, const NamedVariable& named);

/// Gives `named` the value of a tensor with as many elements, which lie as stored_shape() says: converts dtype and
/// layout, piece by piece where the file's bytes are mapped. Throws Error(data) if the file's part is damaged, Error
/// unless can_load.
void load_stored(const Checkpoint& file, const CheckpointTensor& tensor, const NamedVariable& named);

/// "[64, 3, 7, 7]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace graft
