#include "engine/io/tar_archive.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "engine/io/byte_cursor.h"

namespace graft {
namespace {

constexpr std::size_t kBlock = 512;
// Where a header's fields lie (POSIX.1-1988, "ustar").
constexpr std::size_t kNameBytes = 100;
constexpr std::size_t kSizeAt = 124;
constexpr std::size_t kSizeBytes = 12;
constexpr std::size_t kChecksumAt = 148;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kTypeAt = 156;
constexpr std::size_t kMagicAt = 257;
constexpr std::size_t kPrefixAt = 345;
constexpr std::size_t kPrefixBytes = 155;

std::string_view field(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view text = header.substr(at, size);
  return text.substr(0, text.find('\0'));
}

std::uint64_t octal(std::string_view text, const char* what) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
  if (text.empty() || !digits) damaged("its tar header has a {} that is no octal number", what);
  std::uint64_t value = 0;  // twelve digits at most
  for (const char c : text) value = value * 8 + static_cast<std::uint64_t>(c - '0');
  return value;
}

/// The sum of the header's bytes with the checksum's own as spaces.
bool checksum_holds(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksumAt && i < kChecksumAt + kChecksumBytes;
    sum += own ? std::uint64_t{' '} : static_cast<unsigned char>(header[i]);
  }
  return sum == octal(field(header, kChecksumAt, kChecksumBytes), "checksum");
}

void check_name(std::string_view name) {
  const std::string shown = printable(name);
  if (name.starts_with('/')) damaged("its tar entry '{}' has an absolute name", shown);
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") damaged("its tar entry '{}' points out of the archive", shown);
    begin = end + 1;
  }
}

/// Extended headers may only say what nobody needs here, such as times.
void check_extended(std::string_view records) {
  for (const char* key : {" path=", " linkpath=", " size=", " GNU.sparse"}) {
    if (records.find(key) != std::string_view::npos) damaged("its tar has an extended header with{}", key);
  }
}

}  // namespace

bool is_tar(std::span<const std::byte> bytes) {
  return bytes.size() >= kBlock && as_text(bytes).substr(kMagicAt, 5) == "ustar";
}

std::map<std::string, std::span<const std::byte>> read_tar(std::span<const std::byte> bytes) {
  std::map<std::string, std::span<const std::byte>> files;
  ByteCursor cursor(bytes, "the tar archive");
  while (cursor.remaining() >= kBlock) {
    const std::string_view header = as_text(cursor.take(kBlock));
    if (header.find_first_not_of('\0') == std::string_view::npos) break;
    if (!checksum_holds(header)) damaged("the checksum of a tar header is wrong");
    const std::string_view prefix = field(header, kPrefixAt, kPrefixBytes);
    std::string name(field(header, 0, kNameBytes));
    if (header.substr(kMagicAt, 6) == std::string_view("ustar\0", 6) && !prefix.empty()) {
      name = std::string(prefix) + "/" + name;
    }
    check_name(name);
    const std::uint64_t size = octal(field(header, kSizeAt, kSizeBytes), "size");
    const auto data = cursor.take(size);
    cursor.take(std::min<std::uint64_t>((kBlock - size % kBlock) % kBlock, cursor.remaining()));
    const char type = header[kTypeAt];
    if (type == 'x' || type == 'g') {
      check_extended(as_text(data));
    } else if (type == '0' || type == '\0') {
      if (name.starts_with("./")) name.erase(0, 2);
      if (!files.emplace(name, data).second) damaged("two tar entries are named '{}'", printable(name));
    } else if (type != '5') {
      damaged("its tar entry '{}' is a link or device", printable(name));
    }
  }
  return files;
}

}  // namespace graft
