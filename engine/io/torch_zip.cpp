#include <map>
#include <utility>

#include "engine/io/byte_cursor.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/torch_checkpoint.h"

namespace graft {
namespace {

constexpr std::string_view kPickleName = "data.pkl";
constexpr std::uint64_t kMaxPickle = std::uint64_t{256} << 20;

/// The entry of the pickle, at the top or in the one folder that PyTorch puts everything in; nullptr if there is none.
const ZipEntry* find_pickle(const ZipArchive& archive) {
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : archive.entries()) {
    const std::string_view name = entry.name;
    const std::size_t slash = name.find('/');
    const std::string_view last = slash == std::string_view::npos ? name : name.substr(slash + 1);
    if (last != kPickleName) continue;
    if (found != nullptr) damaged("it holds the two pickles '{}' and '{}'", printable(found->name), printable(name));
    found = &entry;
  }
  return found;
}

/// The contents of an entry, in place or inflated into `buffer`.
std::span<const std::byte> contents(const ZipEntry& entry, std::vector<std::byte>& buffer) {
  if (!entry.deflated) return entry.data;
  if (entry.size > kMaxPickle) {
    refused("save the state_dict alone", "its pickle declares {} bytes, the limit is {}", entry.size, kMaxPickle);
  }
  buffer.resize(static_cast<std::size_t>(entry.size));
  read_zip_entry(entry, buffer);
  return buffer;
}

/// Storages by key: entries "FOLDER/data/KEY".
class ZipStorages {
 public:
  ZipStorages(const ZipArchive& archive, std::string folder) : folder_(std::move(folder)) {
    for (const ZipEntry& entry : archive.entries()) {
      if (!entry.name.starts_with(folder_)) continue;
      positions_.emplace(std::string_view(entry.name).substr(folder_.size()), sources_.size());
      sources_.push_back(entry.deflated ? TorchBytes{.mapped = {}, .compressed = entry}
                                        : TorchBytes{.mapped = entry.data, .compressed = {}});
    }
  }

  const std::vector<TorchBytes>& sources() const { return sources_; }

  TorchPersistent resolve(const PickleNode& id) const {
    const TorchStorageId wanted = read_torch_storage_id(id);
    const auto found = positions_.find(wanted.key);
    if (found == positions_.end()) damaged("its storage '{}' is not there", printable(wanted.key));
    const TorchBytes& source = sources_[found->second];
    const std::uint64_t present = source.compressed ? source.compressed->size : source.mapped.size();
    if (wanted.nbytes() > present) {
      damaged("its storage '{}' claims {} bytes, {} are there", printable(wanted.key), wanted.nbytes(), present);
    }
    return TorchStorage{.source = found->second, .begin = 0, .nbytes = wanted.nbytes(), .dtype = wanted.dtype};
  }

 private:
  std::string folder_;
  std::map<std::string_view, std::size_t> positions_;
  std::vector<TorchBytes> sources_;
};

void check_byte_order(const ZipArchive& archive, const std::string& folder) {
  const ZipEntry* entry = archive.find(folder + "byteorder");
  if (entry != nullptr && !entry->deflated && as_text(entry->data) != "little") {
    refused("save it on a little-endian machine", "its numbers are {}-endian", printable(as_text(entry->data)));
  }
}

}  // namespace

bool is_torch_zip(const ZipArchive& archive) { return find_pickle(archive) != nullptr; }

std::unique_ptr<Checkpoint> open_torch_zip(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                           const ZipArchive& archive, const CheckpointOptions& options) {
  const ZipEntry* entry = find_pickle(archive);
  const std::string folder = entry->name.substr(0, entry->name.size() - kPickleName.size());
  if (archive.find(folder + "constants.pkl") != nullptr) {
    refused("save its state_dict() by torch.save", "is a TorchScript program, not a checkpoint");
  }
  check_byte_order(archive, folder);
  std::vector<std::byte> buffer;
  const Pickle pickle(contents(*entry, buffer));
  const ZipStorages storages(archive, folder + "data/");
  return std::make_unique<TorchCheckpoint>(
      path, "pytorch zip", std::move(file), storages.sources(), pickle,
      [&storages](const PickleNode& id) { return storages.resolve(id); }, options.section);
}

}  // namespace graft
