#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "engine/io/pickle.h"
#include "engine/io/torch_tensor.h"
#include "engine/io/zip_archive.h"

namespace graft {

/// A run of bytes that storages lie in.
struct TorchBytes {
  std::span<const std::byte> mapped;     ///< where it lies in the file as it is
  std::optional<ZipEntry> compressed{};  ///< else
};

/// A PyTorch file of any form, once its pickle is read and its storages are found.
class TorchCheckpoint : public Checkpoint {
 public:
  /// `file` holds the mapped bytes that `sources` points into. FormatFaults tell what is wrong with it.
  TorchCheckpoint(const std::filesystem::path& path, std::string format, std::shared_ptr<const MappedFile> file,
                  std::vector<TorchBytes> sources, const Pickle& pickle, const TorchResolver& resolve,
                  const std::string& section);

 private:
  void read_tensor(std::size_t index, std::span<std::byte> destination) const override;
  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override;

  std::shared_ptr<const MappedFile> file_;
  std::vector<TorchBytes> sources_;
  std::vector<TorchTensor> items_;
};

/// The parts of a storage's persistent id: ("storage", class, key, location, number of elements[, view]).
struct TorchStorageId {
  std::string_view key;
  const TorchDType* dtype = nullptr;
  std::uint64_t numel = 0;
  const PickleNode* view = nullptr;  ///< (key, offset, number of elements) of a view within it, or nullptr

  std::uint64_t nbytes() const { return numel * dtype->bytes; }
};

/// Reads one; a FormatFault for anything else.
TorchStorageId read_torch_storage_id(const PickleNode& id);

}  // namespace graft
