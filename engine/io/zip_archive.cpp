#include "engine/io/zip_archive.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "engine/io/byte_cursor.h"
#include "engine/io/inflate.h"

namespace graft {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kLocatorBytes = 20;
constexpr std::size_t kMaxComment = 0xffff;
constexpr std::uint16_t kStored = 0;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kEncrypted = 1;
constexpr std::uint16_t kZip64Extra = 1;
constexpr std::uint32_t kIn64 = 0xffffffff;  // the number stands in the zip64 field

struct Directory {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
  std::uint64_t count = 0;
};

/// Where the end record starts: the last place whose comment reaches exactly to the end of the file.
std::size_t find_end(std::span<const std::byte> bytes) {
  if (bytes.size() < kEndBytes) damaged("it is too short for a zip archive");
  const std::size_t last = bytes.size() - kEndBytes;
  const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::size_t at = last + 1; at-- > first;) {
    ByteCursor record(bytes.subspan(at, kEndBytes), "the end record");
    if (record.little<std::uint32_t>() != kEndSignature) continue;
    record.take(kEndBytes - 6);
    if (record.little<std::uint16_t>() == bytes.size() - at - kEndBytes) return at;
  }
  damaged("it is truncated: a zip archive's end record is not there");
}

std::optional<Directory> find_directory64(std::span<const std::byte> bytes, std::size_t end) {
  if (end < kLocatorBytes) return std::nullopt;
  ByteCursor locator(bytes.subspan(end - kLocatorBytes, kLocatorBytes), "the zip64 locator");
  if (locator.little<std::uint32_t>() != kLocator64Signature) return std::nullopt;
  locator.take(4);
  const auto at = locator.little<std::uint64_t>();
  if (at > end - kLocatorBytes) damaged("its zip64 end record lies beyond the file");
  ByteCursor record(bytes.subspan(static_cast<std::size_t>(at), end - kLocatorBytes - static_cast<std::size_t>(at)),
                    "the zip64 end record");
  if (record.little<std::uint32_t>() != kEnd64Signature) damaged("its zip64 end record is not where it is said to be");
  record.take(8 + 2 + 2 + 4 + 4 + 8);
  Directory directory;
  directory.count = record.little<std::uint64_t>();
  directory.size = record.little<std::uint64_t>();
  directory.begin = record.little<std::uint64_t>();
  return directory;
}

Directory find_directory(std::span<const std::byte> bytes) {
  const std::size_t end = find_end(bytes);
  std::optional<Directory> directory = find_directory64(bytes, end);
  if (!directory) {
    ByteCursor record(bytes.subspan(end, kEndBytes), "the end record");
    record.take(4 + 2 + 2 + 2);
    directory.emplace();
    directory->count = record.little<std::uint16_t>();
    directory->size = record.little<std::uint32_t>();
    directory->begin = record.little<std::uint32_t>();
  }
  if (directory->begin > end || directory->size > end - directory->begin) {
    damaged("its directory claims {} bytes from {} on, which are not there", directory->size, directory->begin);
  }
  if (directory->count > directory->size / kCentralBytes) {
    damaged("its directory of {} bytes claims {} entries", directory->size, directory->count);
  }
  return *directory;
}

struct CentralRecord {
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  std::string_view name;
};

/// Numbers that do not fit in 32 bits stand in the zip64 extra field, in this order, where the 32 bits are all set.
void read_zip64_field(std::span<const std::byte> extras, CentralRecord& record) {
  ByteCursor cursor(extras, "an extra field");
  while (cursor.remaining() >= 4) {
    const auto id = cursor.little<std::uint16_t>();
    ByteCursor field(cursor.take(cursor.little<std::uint16_t>()), "a zip64 field");
    if (id != kZip64Extra) continue;
    for (std::uint64_t* number : {&record.size, &record.packed, &record.offset}) {
      if (*number == kIn64) *number = field.little<std::uint64_t>();
    }
    return;
  }
}

CentralRecord read_central(ByteCursor& cursor) {
  if (cursor.little<std::uint32_t>() != kCentralSignature) damaged("its directory is damaged");
  CentralRecord record;
  cursor.take(4);
  record.flags = cursor.little<std::uint16_t>();
  record.method = cursor.little<std::uint16_t>();
  cursor.take(4);
  record.crc = cursor.little<std::uint32_t>();
  record.packed = cursor.little<std::uint32_t>();
  record.size = cursor.little<std::uint32_t>();
  const auto name_length = cursor.little<std::uint16_t>();
  const auto extra_length = cursor.little<std::uint16_t>();
  const auto comment_length = cursor.little<std::uint16_t>();
  cursor.take(2 + 2 + 4);
  record.offset = cursor.little<std::uint32_t>();
  record.name = as_text(cursor.take(name_length));
  read_zip64_field(cursor.take(extra_length), record);
  cursor.take(comment_length);
  return record;
}

void check_record(const CentralRecord& record, std::uint64_t max_bytes) {
  const std::string name = printable(record.name);
  if ((record.flags & kEncrypted) != 0) refused("write it without a password", "its entry '{}' is encrypted", name);
  if (record.method == kStored) {
    if (record.packed != record.size) {
      damaged("its entry '{}' is stored in {} bytes and claims {}", name, record.packed, record.size);
    }
    return;
  }
  if (record.method != kDeflated) {
    refused("write it stored or deflated", "its entry '{}' is compressed by method {}", name, record.method);
  }
  if (record.size / kMaxInflation > record.packed) {
    damaged("its entry '{}' claims {} bytes out of {}, more than deflate can make", name, record.size, record.packed);
  }
  if (record.size > max_bytes) {
    refused("raise --max-bytes if you trust it", "its compressed entry '{}' declares {} bytes, the limit is {}", name,
            record.size, max_bytes);
  }
}

/// The entry's data; `begin` and `end` become the bytes that it takes with its local header.
std::span<const std::byte> locate(std::span<const std::byte> files, const CentralRecord& record, std::uint64_t& end) {
  const std::string name = printable(record.name);
  if (record.offset > files.size()) damaged("its entry '{}' lies beyond the file", name);
  const auto from_header = files.subspan(static_cast<std::size_t>(record.offset));
  ByteCursor header(from_header, "an entry's header");
  if (header.little<std::uint32_t>() != kLocalSignature) damaged("its entry '{}' is not where it is said to be", name);
  header.take(2 + 2);
  const auto method = header.little<std::uint16_t>();
  header.take(4 + 4 + 4 + 4);
  const auto name_length = header.little<std::uint16_t>();
  const auto extra_length = header.little<std::uint16_t>();
  if (method != record.method || as_text(header.take(name_length)) != record.name) {
    damaged("its entry '{}' differs between directory and file", name);
  }
  header.take(extra_length);
  if (record.packed > header.remaining()) {
    damaged("its entry '{}' claims {} bytes, {} are there", name, record.packed, header.remaining());
  }
  const auto data = header.take(record.packed);
  end = record.offset + header.position();
  return data;
}

}  // namespace

ZipArchive::ZipArchive(std::span<const std::byte> bytes, std::uint64_t max_bytes) {
  const Directory directory = find_directory(bytes);
  const auto files = bytes.first(static_cast<std::size_t>(directory.begin));
  ByteCursor cursor(part_of(bytes, directory.begin, directory.size, "its directory"), "its directory");
  std::set<std::string_view> names;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  entries_.reserve(static_cast<std::size_t>(directory.count));
  ranges.reserve(static_cast<std::size_t>(directory.count));
  for (std::uint64_t i = 0; i < directory.count; ++i) {
    const CentralRecord record = read_central(cursor);
    if (!names.insert(record.name).second) damaged("two of its entries are named '{}'", printable(record.name));
    check_record(record, max_bytes);
    std::uint64_t end = 0;
    const auto data = locate(files, record, end);
    ranges.emplace_back(record.offset, end);
    entries_.push_back({.name = std::string(record.name),
                        .deflated = record.method == kDeflated,
                        .data = data,
                        .size = record.size,
                        .crc = record.crc});
  }
  if (cursor.remaining() != 0) damaged("its directory has {} bytes too many", cursor.remaining());
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) damaged("its entries overlap at byte {}", ranges[i].first);
  }
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [name](const ZipEntry& entry) { return entry.name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

void read_zip_entry(const ZipEntry& entry, std::span<std::byte> destination) {
  if (!entry.deflated) {
    if (!destination.empty()) std::memcpy(destination.data(), entry.data.data(), destination.size());
    return;
  }
  Inflater inflater(entry.data);
  inflater.read(destination);
  inflater.expect_end();
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(destination.data()), destination.size());
  if (crc != entry.crc) damaged("the checksum of its entry '{}' is wrong", printable(entry.name));
}

}  // namespace graft
