#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/autograd/named_variable.h"
#include "engine/io/checkpoint.h"

namespace graft {

/// The shape that public checkpoints give a variable: a rank-4 "weight" [O, KH, KW, I] is stored as [O, I, KH, KW].
std::vector<std::int64_t> stored_shape(const NamedVariable& named);

/// The variable's value in that layout, copied to the host.
std::vector<std::byte> stored_bytes(const NamedVariable& named);

/// True iff load_stored can bring a tensor of the file's dtype into the variable's.
bool can_load(const CheckpointTensor& tensor, const NamedVariable& named);

/// Gives `named` the value of a tensor with as many elements, which lie as stored_shape() says: converts dtype and
/// layout. Throws Error(data) if the file's part is damaged, Error unless can_load.
void load_stored(const Checkpoint& file, const CheckpointTensor& tensor, const NamedVariable& named);

/// "[64, 3, 7, 7]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace graft
