#include "engine/io/torch_checkpoint.h"

#include <limits>
#include <utility>

#include "engine/io/byte_cursor.h"
#include "engine/io/torch_state_dict.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

}  // namespace

TorchCheckpoint::TorchCheckpoint(const std::filesystem::path& path, std::string format,
                                 std::shared_ptr<const MappedFile> file, std::vector<TorchBytes> sources,
                                 const Pickle& pickle, const TorchResolver& resolve, const std::string& section)
    : Checkpoint(path, std::move(format)), file_(std::move(file)), sources_(std::move(sources)) {
  StateDict state = find_state_dict(pickle, section);
  for (StateDictEntry& entry : state.entries) {
    TorchTensor tensor = read_torch_tensor(*entry.node, resolve);
    add({.name = std::move(entry.name),
         .dtype = tensor.dtype == nullptr ? "opaque" : std::string(tensor.dtype->name),
         .known = tensor.dtype == nullptr ? std::nullopt : tensor.dtype->known,
         .shape = tensor.shape,
         .nbytes = tensor.nbytes,
         .problem = tensor.problem});
    items_.push_back(std::move(tensor));
  }
  for (auto& [key, value] : state.metadata) add_metadata(key, std::move(value));
  for (std::string& note : state.notes) add_note(std::move(note));
}

void TorchCheckpoint::read_tensor(std::size_t index, std::span<std::byte> destination) const {
  const TorchTensor& tensor = items_[index];
  if (destination.empty()) return;
  const TorchBytes& source = sources_[tensor.storage.source];
  if (!source.compressed) {
    copy_torch_tensor(tensor, part_of(source.mapped, tensor.storage.begin, tensor.storage.nbytes, "a storage"),
                      destination);
    return;
  }
  if (tensor.is_contiguous() && destination.size() == source.compressed->size) {
    read_zip_entry(*source.compressed, destination);
    return;
  }
  std::vector<std::byte> whole(static_cast<std::size_t>(source.compressed->size));
  read_zip_entry(*source.compressed, whole);
  copy_torch_tensor(tensor, part_of(whole, tensor.storage.begin, tensor.storage.nbytes, "a storage"), destination);
}

std::optional<std::span<const std::byte>> TorchCheckpoint::mapped_tensor(std::size_t index) const {
  const TorchTensor& tensor = items_[index];
  if (tensor.nbytes == 0) return std::span<const std::byte>();
  const TorchBytes& source = sources_[tensor.storage.source];
  if (source.compressed || !tensor.is_contiguous()) return std::nullopt;
  return part_of(source.mapped, tensor.storage.begin + tensor.offset * tensor.dtype->bytes, tensor.nbytes, "a tensor");
}

TorchStorageId read_torch_storage_id(const PickleNode& id) {
  if (!id.is(Kind::list) || id.items.size() < 5) damaged("a storage is named by what is no storage's name");
  const auto& parts = id.items;
  const bool named = (parts[0]->is(Kind::text) || parts[0]->is(Kind::bytes)) && parts[0]->text == "storage";
  if (!named || !parts[1]->is(Kind::global) || !(parts[2]->is(Kind::text) || parts[2]->is(Kind::bytes))) {
    damaged("a storage is named by what is no storage's name");
  }
  TorchStorageId result;
  result.key = parts[2]->text;
  result.dtype = torch_dtype_of_storage(parts[1]->name);
  if (result.dtype == nullptr) {
    refused("save it as float32", "its storage '{}' is of the unknown class {}", printable(result.key),
            global_name(*parts[1]));
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 16;
  if (!parts[4]->is(Kind::integer) || parts[4]->integer < 0 || parts[4]->integer > kMost) {
    damaged("its storage '{}' has a size that is none", printable(result.key));
  }
  result.numel = static_cast<std::uint64_t>(parts[4]->integer);
  if (parts.size() > 5 && parts[5]->is(Kind::list)) result.view = parts[5];
  return result;
}

}  // namespace graft
