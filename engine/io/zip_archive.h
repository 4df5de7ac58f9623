#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// One file of a zip archive.
struct ZipEntry {
  std::string name;
  bool deflated = false;            ///< else stored as it is
  std::span<const std::byte> data;  ///< as it lies in the archive
  std::uint64_t size = 0;           ///< of the contents, as declared
  std::uint32_t crc = 0;            ///< of the contents, as declared
};

/// The entries of a zip archive (PKWARE APPNOTE 6.3, with zip64), from its central directory, over bytes that outlive
/// it. Checked on opening: every entry lies within the file, agrees with its local header, overlaps no other; no two
/// have the same name; a deflated one declares no more than deflate can make of it nor more than `max_bytes`. Faults
/// are FormatFaults. Nothing is ever extracted to a disk.
class ZipArchive {
 public:
  ZipArchive(std::span<const std::byte> bytes, std::uint64_t max_bytes);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;

 private:
  std::vector<ZipEntry> entries_;
};

/// The contents of an entry into `destination` of exactly entry.size; a deflated one's checksum is verified.
void read_zip_entry(const ZipEntry& entry, std::span<std::byte> destination);

}  // namespace graft
