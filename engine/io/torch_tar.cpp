#include <charconv>
#include <map>
#include <utility>

#include "engine/io/byte_cursor.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/tar_archive.h"
#include "engine/io/torch_checkpoint.h"
#include "engine/io/torch_tensor.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

std::int64_t integer(const PickleNode& node, const char* what) {
  if (!node.is(Kind::integer)) damaged("{} is no whole number", what);
  return node.integer;
}

/// The fields of a tuple that a pickle of the stream holds.
const std::vector<const PickleNode*>& fields(const PickleNode& node, std::size_t count, const char* what) {
  if (!node.is(Kind::list) || node.items.size() != count) damaged("{} is no tuple of {}", what, count);
  return node.items;
}

/// Pickles one after another, with raw numbers between them.
class MixedStream {
 public:
  MixedStream(std::span<const std::byte> bytes, std::string_view what) : rest_(bytes), what_(what) {}

  /// Reads one pickle and hands it on; it lives no longer.
  template <class Body>
  void with_pickle(const Body& body) {
    const Pickle pickle(rest_);
    rest_ = rest_.subspan(pickle.size());
    body(pickle.root());
  }
  std::int64_t count() {
    std::int64_t value = 0;
    with_pickle([&](const PickleNode& node) { value = integer(node, "a count"); });
    return value;
  }
  std::span<const std::byte> take(std::uint64_t size) {
    ByteCursor cursor(rest_, what_);
    const auto taken = cursor.take(size);
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  template <class T>
  T little() {
    return ByteCursor(take(sizeof(T)), what_).template little<T>();
  }

 private:
  std::span<const std::byte> rest_;
  std::string_view what_;
};

/// The entries "storages" and "tensors": each says how many there are, then key and type as a pickle and the rest raw.
class TarTensors {
 public:
  TarTensors(std::span<const std::byte> storages, std::span<const std::byte> tensors) : bytes_(storages) {
    read_storages(storages);
    read_tensors(tensors);
  }

  std::vector<TorchBytes> sources() const { return {{.mapped = bytes_, .compressed = {}}}; }

  TorchPersistent resolve(const PickleNode& id) const {
    std::int64_t key = id.integer;
    if (id.is(Kind::list)) return {};  // a pickled class with its source text
    if (id.is(Kind::text)) {
      const auto [end, error] = std::from_chars(id.text.data(), id.text.data() + id.text.size(), key);
      if (error != std::errc() || end != id.text.data() + id.text.size()) damaged("a tensor's key is no number");
    }
    if (const auto tensor = tensors_.find(key); tensor != tensors_.end()) return tensor->second;
    if (const auto storage = storages_.find(key); storage != storages_.end()) return storage->second;
    damaged("its tensor {} is not there", key);
  }

 private:
  void read_storages(std::span<const std::byte> bytes) {
    MixedStream stream(bytes, "its entry 'storages'");
    for (std::int64_t left = stream.count(); left > 0; --left) {
      stream.with_pickle([&](const PickleNode& node) {
        const auto& parts = fields(node, 3, "a storage's description");
        const TorchDType* dtype = torch_dtype_of_storage(parts[2]->name);
        if (dtype == nullptr) damaged("a storage is of an unknown class");
        const auto numel = stream.little<std::uint64_t>();
        std::uint64_t nbytes = 0;
        if (__builtin_mul_overflow(numel, dtype->bytes, &nbytes)) damaged("a storage's size overflows");
        const auto data = stream.take(nbytes);
        const auto begin = static_cast<std::uint64_t>(data.data() - bytes_.data());
        keep_storage(integer(*parts[0], "a storage's key"),
                     {.source = 0, .begin = nbytes == 0 ? 0 : begin, .nbytes = nbytes, .dtype = dtype});
      });
    }
    stream.with_pickle([&](const PickleNode& views) {
      if (!views.is(Kind::list)) damaged("the list of views is none");
      for (const PickleNode* view : views.items) read_view(*view);
    });
  }

  void keep_storage(std::int64_t key, const TorchStorage& storage) {
    if (!storages_.emplace(key, storage).second) damaged("its storage {} is there twice", key);
  }

  void read_view(const PickleNode& node) {
    const auto& parts = fields(node, 4, "a view's description");
    const auto root = storages_.find(integer(*parts[1], "a storage's key"));
    if (root == storages_.end()) damaged("a view is of a storage that is not there");
    TorchStorage view = root->second;
    const auto numel = static_cast<std::int64_t>(view.nbytes / view.dtype->bytes);
    const std::int64_t offset = integer(*parts[2], "a view's offset");
    const std::int64_t size = integer(*parts[3], "a view's size");
    if (offset < 0 || size < 0 || offset > numel || size > numel - offset) {
      damaged("a view covers elements {} to {} of a storage of {}", offset, size, numel);
    }
    view.begin += static_cast<std::uint64_t>(offset) * view.dtype->bytes;
    view.nbytes = static_cast<std::uint64_t>(size) * view.dtype->bytes;
    keep_storage(integer(*parts[0], "a storage's key"), view);
  }

  void read_tensors(std::span<const std::byte> bytes) {
    MixedStream stream(bytes, "its entry 'tensors'");
    for (std::int64_t left = stream.count(); left > 0; --left) {
      stream.with_pickle([&](const PickleNode& node) {
        const auto& parts = fields(node, 3, "a tensor's description");
        const auto storage = storages_.find(integer(*parts[1], "a storage's key"));
        if (storage == storages_.end()) damaged("a tensor's storage is not there");
        const std::int64_t rank = stream.little<std::int64_t>() & 0xffffffff;  // once 64 bits, now 32 and padding
        if (rank > std::int64_t{kMaxTorchRank}) damaged("a tensor has {} dimensions", rank);
        std::vector<std::int64_t> shape(static_cast<std::size_t>(rank));
        std::vector<std::int64_t> strides(shape.size());
        for (std::int64_t& extent : shape) extent = stream.little<std::int64_t>();
        for (std::int64_t& stride : strides) stride = stream.little<std::int64_t>();
        const auto offset = stream.little<std::int64_t>();
        const std::int64_t key = integer(*parts[0], "a tensor's key");
        TorchTensor tensor =
            make_torch_tensor(storage->second, *storage->second.dtype, offset, std::move(shape), std::move(strides));
        if (!tensors_.emplace(key, std::move(tensor)).second) damaged("its tensor {} is there twice", key);
      });
    }
  }

  std::span<const std::byte> bytes_;
  std::map<std::int64_t, TorchStorage> storages_;
  std::map<std::int64_t, TorchTensor> tensors_;
};

std::span<const std::byte> entry(const std::map<std::string, std::span<const std::byte>>& files, const char* name) {
  const auto found = files.find(name);
  if (found == files.end())
    refused("give a file written by torch.save", "is a tar archive without the entry '{}'", name);
  return found->second;
}

}  // namespace

std::unique_ptr<Checkpoint> open_torch_tar(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                           const CheckpointOptions& options) {
  const auto files = read_tar(file->bytes());
  const auto storages = entry(files, "storages");
  const TarTensors tensors(storages, entry(files, "tensors"));
  const Pickle pickle(entry(files, "pickle"));
  return std::make_unique<TorchCheckpoint>(
      path, "pytorch tar", std::move(file), tensors.sources(), pickle,
      [&tensors](const PickleNode& id) { return tensors.resolve(id); }, options.section);
}

}  // namespace graft
