#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/io/atomic_file.h"

namespace graft {

/// An array that is about to be written.
struct NpzArray {
  std::string name;
  std::string descr;      ///< NumPy's description of its elements: "<f4", "|S12"
  std::uint64_t element;  ///< bytes of one
  std::vector<std::int64_t> shape;
};

/// Writes a .npz archive piece by piece: arrays as stored zip entries (PKWARE APPNOTE 6.3), in NumPy's format of
/// version 1.0, whose sizes are known before and whose checksums follow their data. The file appears whole, or not at
/// all. Errors are Error(failure) naming the file.
class NpzWriter {
 public:
  /// Sizes are written in zip64's form where one passes 32 bits, or always with `zip64`.
  NpzWriter(const std::filesystem::path& path, std::vector<NpzArray> arrays, bool zip64 = false);

  /// The next elements of the arrays in their order, row-major and little-endian; a call stays within one array.
  void write(std::span<const std::byte> elements);
  /// Ends the archive and gives it its name; every array must have all its elements.
  void commit();

 private:
  struct Entry {
    std::string name;    ///< of the file in the archive
    std::string header;  ///< of the array
    std::uint64_t size = 0;
    std::uint64_t offset = 0;
    std::uint32_t crc = 0;
  };

  void begin_entry();
  void end_full_entries();
  void add(std::span<const std::byte> bytes);
  void put(const std::string& bytes);
  std::string central_record(const Entry& entry) const;

  AtomicFile file_;
  std::filesystem::path path_;
  std::vector<Entry> entries_;
  bool zip64_;
  std::size_t current_ = 0;
  std::uint64_t written_ = 0;  ///< of the current entry
};

}  // namespace graft
