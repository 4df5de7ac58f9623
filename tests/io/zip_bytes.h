#pragma once

#include <zlib.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace graft {

/// One entry of a zip archive to be put together, with whatever lies it is to tell.
struct ZipPart {
  std::string name;
  std::string data;
  bool deflate = false;
  std::optional<std::uint64_t> claimed_size{};    ///< of the contents
  std::optional<std::uint64_t> claimed_packed{};  ///< of the data in the archive
  std::optional<std::uint64_t> claimed_offset{};  ///< of its local header
  std::optional<std::uint32_t> claimed_crc{};
  std::optional<std::string> local_name{};
  std::uint16_t method = 0xffff;  ///< 0xffff: as `deflate` says
  std::uint16_t flags = 0;
  bool zip64 = false;  ///< sizes and offset stand in the zip64 field
};

struct ZipEnd {
  std::optional<std::uint64_t> claimed_count{};
  std::optional<std::uint64_t> claimed_begin{};
  std::optional<std::uint64_t> claimed_size{};
  bool zip64 = false;
  std::string comment{};
};

namespace zip_detail {

inline void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((value >> (8 * i)) & 0xffu);
}

inline std::string deflated(const std::string& data) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, static_cast<uLong>(data.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  z.avail_in = static_cast<uInt>(data.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace zip_detail

/// A zip archive, byte by byte as PKWARE's APPNOTE describes it.
inline std::string zip_bytes(const std::vector<ZipPart>& parts, const ZipEnd& end = {}) {
  using zip_detail::put;
  std::string files;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::string data = part.deflate ? zip_detail::deflated(part.data) : part.data;
    const std::uint64_t method = part.method != 0xffff ? part.method : part.deflate ? 8 : 0;
    const std::uint64_t crc = part.claimed_crc.value_or(
        static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(part.data.data()), part.data.size())));
    const std::uint64_t packed = part.claimed_packed.value_or(data.size());
    const std::uint64_t size = part.claimed_size.value_or(part.data.size());
    const std::uint64_t offset = part.claimed_offset.value_or(files.size());
    const std::string local_name = part.local_name.value_or(part.name);
    std::string fields;
    put(fields, 20, 2);
    put(fields, part.flags, 2);
    put(fields, method, 2);
    put(fields, 0, 4);
    put(fields, crc, 4);
    std::string extra;
    if (part.zip64) {
      put(extra, 1, 2);
      put(extra, 24, 2);
      put(extra, size, 8);
      put(extra, packed, 8);
      put(extra, offset, 8);
    }
    std::string sizes;
    put(sizes, part.zip64 ? 0xffffffff : packed, 4);
    put(sizes, part.zip64 ? 0xffffffff : size, 4);
    put(files, 0x04034b50, 4);
    files += fields + sizes;
    put(files, local_name.size(), 2);
    put(files, 0, 2);
    files += local_name + data;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    directory += fields + sizes;
    put(directory, part.name.size(), 2);
    put(directory, extra.size(), 2);
    put(directory, 0, 8);
    put(directory, 0, 2);
    put(directory, part.zip64 ? 0xffffffff : offset, 4);
    directory += part.name + extra;
  }
  const std::uint64_t count = end.claimed_count.value_or(parts.size());
  const std::uint64_t begin = end.claimed_begin.value_or(files.size());
  const std::uint64_t size = end.claimed_size.value_or(directory.size());
  std::string out = files + directory;
  if (end.zip64) {
    const std::size_t at = out.size();
    put(out, 0x06064b50, 4);
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, 0, 8);
    put(out, count, 8);
    put(out, count, 8);
    put(out, size, 8);
    put(out, begin, 8);
    put(out, 0x07064b50, 4);
    put(out, 0, 4);
    put(out, at, 8);
    put(out, 1, 4);
  }
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, end.zip64 ? 0xffff : count, 2);
  put(out, end.zip64 ? 0xffff : count, 2);
  put(out, end.zip64 ? 0xffffffff : size, 4);
  put(out, end.zip64 ? 0xffffffff : begin, 4);
  put(out, end.comment.size(), 2);
  return out + end.comment;
}

}  // namespace graft
