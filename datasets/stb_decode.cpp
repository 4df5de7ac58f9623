#include "datasets/stb_decode.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "datasets/image_fault.h"

namespace graft {
namespace {

// stb_image takes memory as compressed data ask for it. No single piece may be larger than what the checked header
// justifies; the limit is the calling thread's for the time of one call.
thread_local std::size_t stb_limit = 0;

void* stb_allocate(std::size_t bytes) { return bytes > stb_limit ? nullptr : std::malloc(bytes); }
void* stb_reallocate(void* old, std::size_t bytes) { return bytes > stb_limit ? nullptr : std::realloc(old, bytes); }

}  // namespace
}  // namespace graft

#define STBI_MALLOC(bytes) graft::stb_allocate(bytes)
#define STBI_REALLOC(old, bytes) graft::stb_reallocate(old, bytes)
#define STBI_FREE(old) std::free(old)
#define STBI_ONLY_PNG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace graft {
namespace {

constexpr std::array<unsigned char, 8> kPngSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::int64_t kMaxDeflation = 1032;  // zlib's own figure

struct Freed {
  void operator()(void* memory) const { std::free(memory); }
};

std::uint32_t big_endian(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint32_t>(bytes[at + i]);
  return value;
}

std::uint32_t little_endian(std::span<const std::byte> bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<std::uint32_t>(bytes[at + i]);
  return value;
}

const stbi_uc* stb_bytes(std::span<const std::byte> bytes) { return reinterpret_cast<const stbi_uc*>(bytes.data()); }

int stb_length(std::span<const std::byte> bytes, const std::string& name, const char* format) {
  if (bytes.size() > INT_MAX) fail_image(name, format, "{} bytes are more than are read", bytes.size());
  return static_cast<int>(bytes.size());
}

[[noreturn]] void fail_stb(const std::string& name, const char* format) {
  const char* reason = stbi_failure_reason();
  fail_image(name, format, "{}", reason == nullptr ? "it is damaged" : reason);
}

/// Whatever 8-bit image stb_image makes of the file, as RGB.
void decode_rgb(std::span<const std::byte> bytes, const std::string& name, const char* format, std::size_t limit,
                Image& into) {
  int width = 0;
  int height = 0;
  int channels = 0;
  stb_limit = limit;
  const std::unique_ptr<stbi_uc, Freed> pixels(
      stbi_load_from_memory(stb_bytes(bytes), stb_length(bytes, name, format), &width, &height, &channels, 3));
  if (!pixels) fail_stb(name, format);
  into.reshape(height, width, 3);
  std::memcpy(into.data(), pixels.get(), into.bytes());
}

/// Gray of 16 bits, cut at 255.
void decode_gray16(std::span<const std::byte> bytes, const std::string& name, std::size_t limit, Image& into) {
  int width = 0;
  int height = 0;
  int channels = 0;
  stb_limit = limit;
  const std::unique_ptr<stbi_us, Freed> pixels(
      stbi_load_16_from_memory(stb_bytes(bytes), stb_length(bytes, name, "PNG"), &width, &height, &channels, 1));
  if (!pixels) fail_stb(name, "PNG");
  into.reshape(height, width, 3);
  const std::size_t count = into.bytes() / 3;
  for (std::size_t i = 0; i < count; ++i) {
    std::fill_n(into.data() + 3 * i, 3, static_cast<std::uint8_t>(std::min<stbi_us>(pixels.get()[i], 255)));
  }
}

struct PngHeader {
  std::int64_t width = 0;
  std::int64_t height = 0;
  unsigned depth = 0;
  unsigned colour = 0;  ///< the standard's colour type: 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha
};

PngHeader read_png_header(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::size_t kHeaderChunk = 8 + 8 + 13 + 4;
  if (bytes.size() < kHeaderChunk) fail_image(name, "PNG", "it is truncated after {} bytes", bytes.size());
  if (big_endian(bytes, 8) != 13 || std::memcmp(bytes.data() + 12, "IHDR", 4) != 0) {
    fail_image(name, "PNG", "it does not begin with a header chunk");
  }
  return {.width = big_endian(bytes, 16),
          .height = big_endian(bytes, 20),
          .depth = static_cast<unsigned>(bytes[24]),
          .colour = static_cast<unsigned>(bytes[25])};
}

/// Every chunk to the last one whole and with its checksum.
void check_png_chunks(std::span<const std::byte> bytes, const std::string& name) {
  std::size_t at = kPngSignature.size();
  for (;;) {
    if (bytes.size() - at < 12) fail_image(name, "PNG", "it is truncated after {} bytes", bytes.size());
    const std::size_t length = big_endian(bytes, at);
    if (length > bytes.size() - at - 12) fail_image(name, "PNG", "it is truncated after {} bytes", bytes.size());
    const std::uint32_t sum =
        static_cast<std::uint32_t>(crc32(0, stb_bytes(bytes) + at + 4, static_cast<uInt>(length + 4)));
    if (sum != big_endian(bytes, at + 8 + length)) fail_image(name, "PNG", "the chunk at byte {} is damaged", at);
    if (std::memcmp(bytes.data() + at + 4, "IEND", 4) == 0) return;
    at += length + 12;
  }
}

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
  return bytes.size() >= kPngSignature.size() &&
         std::memcmp(bytes.data(), kPngSignature.data(), kPngSignature.size()) == 0;
}

void decode_png(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into) {
  const PngHeader header = read_png_header(bytes, name);
  check_image_size(name, "PNG", header.width, header.height, limits);
  const auto file_bytes = static_cast<std::int64_t>(bytes.size());
  // One bit a pixel is the least there is.
  if (header.width * header.height / 8 > file_bytes * kMaxDeflation) {
    fail_image(name, "PNG", "its header declares {}x{} pixels, more than its {} bytes can hold", header.width,
               header.height, bytes.size());
  }
  check_png_chunks(bytes, name);
  // Four channels of 16 bits, a filter's byte a row of each of Adam7's passes; stb_image gathers the compressed data by
  // doubling.
  const std::int64_t raw = header.width * header.height * 8 + header.height * 8 + 4096;
  const auto limit = static_cast<std::size_t>(std::max(raw, 2 * file_bytes + 8192));
  if (header.depth == 16 && header.colour == 0) return decode_gray16(bytes, name, limit, into);
  decode_rgb(bytes, name, "PNG", limit, into);
}

bool is_bmp(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{'B'} && bytes[1] == std::byte{'M'};
}

void decode_bmp(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into) {
  if (bytes.size() < 34) fail_image(name, "BMP", "it is truncated after {} bytes", bytes.size());
  const bool old = little_endian(bytes, 14, 4) == 12;
  const std::uint32_t offset = little_endian(bytes, 10, 4);
  const auto number = [&](std::size_t at) { return static_cast<std::int32_t>(little_endian(bytes, at, 4)); };
  const std::int64_t width = old ? static_cast<std::int64_t>(little_endian(bytes, 18, 2)) : number(18);
  const std::int64_t rows = old ? static_cast<std::int64_t>(little_endian(bytes, 20, 2)) : number(22);
  const std::int64_t bits = little_endian(bytes, old ? 24 : 28, 2);
  const std::int64_t height = std::abs(rows);  // negative: stored from the top down
  check_image_size(name, "BMP", width, height, limits);
  const std::int64_t row_bytes = (width * bits + 31) / 32 * 4;
  if (bits == 0 || row_bytes * height > static_cast<std::int64_t>(bytes.size()) - static_cast<std::int64_t>(offset)) {
    fail_image(name, "BMP", "it is truncated or compressed: {}x{} pixels of {} bits do not fit in {} bytes", width,
               height, bits, bytes.size());
  }
  decode_rgb(bytes, name, "BMP", static_cast<std::size_t>(width * height * 4 + 4096), into);
}

bool is_pnm(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{'P'} && (bytes[1] == std::byte{'5'} || bytes[1] == std::byte{'6'});
}

}  // namespace graft
