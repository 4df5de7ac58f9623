#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "datasets/image_decode.h"

namespace graft::testing {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(GRAFT_SOURCE_DIR) / "tests" / "datasets" / "images" / name;
}

inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>((value >> shift) & 0xffu);
  return bytes;
}

inline std::string png_chunk(const std::string& kind, const std::string& data) {
  const std::string body = kind + data;
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(static_cast<std::uint32_t>(sum));
}

/// A gray PNG file whose header declares width x height and whose pixel data are `raw`, deflated.
inline std::string png_bytes(std::uint32_t width, std::uint32_t height, const std::string& raw) {
  uLongf size = compressBound(raw.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(raw.data()), raw.size(), 9);
  packed.resize(size);
  using namespace std::string_literals;
  return "\x89PNG\r\n\x1a\n"s + png_chunk("IHDR", big_endian(width) + big_endian(height) + "\x08\0\0\0\0"s) +
         png_chunk("IDAT", packed) + png_chunk("IEND", "");
}

inline void decode(const std::string& bytes, Image& into, const ImageLimits& limits = {}) {
  decode_image(std::as_bytes(std::span(bytes)), "some/file", limits, into);
}

}  // namespace graft::testing
