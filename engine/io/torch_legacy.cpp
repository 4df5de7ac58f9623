#include <map>
#include <utility>

#include "engine/io/byte_cursor.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/torch_checkpoint.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

// What torch.save's first pickle holds: 0x1950a86a20f9469cfc6c as a ten-byte integer, little-endian.
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::int64_t kProtocolVersion = 1001;

/// The first pickles, then the object, the list of keys, and the storages one after another in the order of that list:
/// the number of elements as 64 bits, then the elements.
class LegacyStream {
 public:
  explicit LegacyStream(std::span<const std::byte> bytes)
      : bytes_(bytes), object_(skip_preamble(bytes)), keys_(rest(object_.size())), storages_(rest(keys_.size())) {
    for (const PickleNode* node : object_.persistents()) note_storage(*node->arguments);
    ByteCursor cursor(storages_, "the storages");
    if (!keys_.root().is(Kind::list)) damaged("its list of storages is none");
    for (const PickleNode* key : keys_.root().items) {
      if (!key->is(Kind::text) && !key->is(Kind::bytes)) damaged("its list of storages is none");
      locate(key->text, cursor);
    }
  }

  const Pickle& object() const { return object_; }
  std::vector<TorchBytes> sources() const { return {{.mapped = storages_, .compressed = {}}}; }

  TorchPersistent resolve(const PickleNode& id) const {
    if (is_module(id)) return {};
    const TorchStorageId wanted = read_torch_storage_id(id);
    const auto found = begins_.find(wanted.key);
    if (found == begins_.end()) damaged("its storage '{}' is not there", printable(wanted.key));
    const std::uint64_t present = sizes_.at(wanted.key);
    if (wanted.nbytes() > present) {
      damaged("its storage '{}' claims {} bytes, {} are there", printable(wanted.key), wanted.nbytes(), present);
    }
    TorchStorage storage{.source = 0, .begin = found->second, .nbytes = wanted.nbytes(), .dtype = wanted.dtype};
    return wanted.view == nullptr ? storage : view_of(storage, *wanted.view);
  }

 private:
  /// A pickled class with its source text: ("module", class, file, source).
  static bool is_module(const PickleNode& id) {
    return id.is(Kind::list) && !id.items.empty() && id.items[0]->text == "module";
  }

  std::span<const std::byte> rest(std::size_t taken) {
    bytes_ = bytes_.subspan(taken);
    return bytes_;
  }

  std::span<const std::byte> skip_preamble(std::span<const std::byte> bytes) {
    const Pickle magic(bytes);
    if (!magic.root().is(Kind::big) || magic.root().text != kMagic) {
      refused("give a file written by torch.save", "is a pickle, but none of PyTorch's");
    }
    const Pickle protocol(rest(magic.size()));
    if (!protocol.root().is(Kind::integer) || protocol.root().integer != kProtocolVersion) {
      damaged("its protocol is not {}", kProtocolVersion);
    }
    const Pickle system(rest(protocol.size()));
    return rest(system.size());
  }

  void note_storage(const PickleNode& id) {
    if (is_module(id)) return;
    const TorchStorageId storage = read_torch_storage_id(id);
    const auto [known, is_new] = sizes_.emplace(storage.key, storage.nbytes());
    if (!is_new && known->second != storage.nbytes()) {
      damaged("its storage '{}' has two sizes, {} and {} bytes", printable(storage.key), known->second,
              storage.nbytes());
    }
    elements_.emplace(storage.key, storage.dtype->bytes);
  }

  void locate(std::string_view key, ByteCursor& cursor) {
    const auto size = sizes_.find(key);
    if (size == sizes_.end()) damaged("its storage '{}' belongs to no tensor", printable(key));
    const auto numel = cursor.little<std::uint64_t>();
    if (numel != size->second / elements_.at(key)) {
      damaged("its storage '{}' has {} elements where {} are expected", printable(key), numel,
              size->second / elements_.at(key));
    }
    const std::size_t begin = cursor.position();
    cursor.take(size->second);
    if (!begins_.emplace(key, begin).second) damaged("its storage '{}' is there twice", printable(key));
  }

  static TorchStorage view_of(const TorchStorage& storage, const PickleNode& view) {
    if (view.items.size() != 3 || !view.items[1]->is(Kind::integer) || !view.items[2]->is(Kind::integer)) {
      damaged("a view of a storage is described by what is no description");
    }
    const auto numel = static_cast<std::int64_t>(storage.nbytes / storage.dtype->bytes);
    const std::int64_t offset = view.items[1]->integer;
    const std::int64_t size = view.items[2]->integer;
    if (offset < 0 || size < 0 || offset > numel || size > numel - offset) {
      damaged("a view covers elements {} to {} of a storage of {}", offset, size, numel);
    }
    TorchStorage result = storage;
    result.begin += static_cast<std::uint64_t>(offset) * storage.dtype->bytes;
    result.nbytes = static_cast<std::uint64_t>(size) * storage.dtype->bytes;
    return result;
  }

  std::span<const std::byte> bytes_;  // what is not yet read
  Pickle object_;
  Pickle keys_;
  std::span<const std::byte> storages_;
  std::map<std::string_view, std::uint64_t> sizes_;
  std::map<std::string_view, std::uint64_t> elements_;
  std::map<std::string_view, std::uint64_t> begins_;
};

}  // namespace

std::unique_ptr<Checkpoint> open_torch_legacy(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                              const CheckpointOptions& options) {
  const LegacyStream stream(file->bytes());
  return std::make_unique<TorchCheckpoint>(
      path, "pytorch legacy", std::move(file), stream.sources(), stream.object(),
      [&stream](const PickleNode& id) { return stream.resolve(id); }, options.section);
}

}  // namespace graft
