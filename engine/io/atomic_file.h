#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/io/descriptor.h"

namespace graft {

/// Writes a file piece by piece that appears under its name only when it is whole: a temporary file beside it, fsync,
/// rename, fsync of the folder. Without commit() the temporary is removed and an old file stays as it was. Errors are
/// Error(failure) naming the file and the system's reason.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// The file system gets whole blocks at multiples of their size, which it takes fastest, however the pieces fall.
  void write(std::span<const std::byte> bytes);
  /// Bytes written so far.
  std::uint64_t size() const { return size_; }
  /// Makes the file durable and gives it its name. To be called once, last. With `flush` false it may be lost or torn
  /// by a power failure: for what nobody reads after one.
  void commit(bool flush = true);

 private:
  void pass_on(std::span<const std::byte> bytes);
  [[noreturn]] void fail_write(int error_number);
  void remove_temporary() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  Descriptor descriptor_;
  std::vector<std::byte> block_;  // the last bytes, less than a block
  std::uint64_t size_ = 0;
  std::uint64_t passed_on_ = 0;   // of size_, to the system
  std::uint64_t on_its_way_ = 0;  // of passed_on_, to the disk
};

/// Removes the temporaries that killed writers left in `folder` (not below it). To be called while nobody writes there.
/// Returns how many there were; what cannot be removed stays.
int remove_temporaries(const std::filesystem::path& folder);

}  // namespace graft
