#include "engine/io/checkpoint.h"

#include "engine/base/error.h"
#include "engine/io/format_fault.h"

namespace graft {

Checkpoint::Checkpoint(std::filesystem::path path, std::string format)
    : path_(std::move(path)), format_(std::move(format)), files_{path_} {}

Checkpoint::~Checkpoint() = default;

const CheckpointTensor* Checkpoint::find(std::string_view name) const {
  const auto found = positions_.find(name);
  return found == positions_.end() ? nullptr : &tensors_[found->second];
}

void Checkpoint::add(CheckpointTensor tensor) {
  tensor.index = tensors_.size();
  if (!positions_.emplace(tensor.name, tensor.index).second) {
    fail(ErrorKind::data, "{}: two tensors are named '{}'; fetch or write it again", path_.string(),
         printable(tensor.name));
  }
  tensors_.push_back(std::move(tensor));
}

void Checkpoint::read(const CheckpointTensor& tensor, std::span<std::byte> destination) const {
  check(tensor.index < tensors_.size() && tensors_[tensor.index].name == tensor.name,
        "[checkpoint] tensor '{}' is of another file than {}", tensor.name, path_.string());
  check(destination.size() == tensor.nbytes, "[checkpoint] {} bytes for tensor '{}' of {}", destination.size(),
        tensor.name, tensor.nbytes);
  if (!tensor.problem.empty()) {
    fail(ErrorKind::data, "{}: tensor '{}' cannot be read: {}", path_.string(), printable(tensor.name), tensor.problem);
  }
  naming_file(path_, format_, [&] { read_tensor(tensor.index, destination); });
}

std::optional<std::span<const std::byte>> Checkpoint::mapped(const CheckpointTensor& tensor) const {
  check(tensor.index < tensors_.size() && tensors_[tensor.index].name == tensor.name,
        "[checkpoint] tensor '{}' is of another file than {}", tensor.name, path_.string());
  if (!tensor.problem.empty()) return std::nullopt;
  return mapped_tensor(tensor.index);
}

}  // namespace graft
