#include "datasets/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft {
namespace {

constexpr std::uint32_t kMagicOfBytes = 0x00000800u;  // 0, 0, element type 8: unsigned byte, rank
// Deflate makes at most 1032 bytes of one (zlib's technical notes), so a header that declares more is wrong.
constexpr std::uint64_t kMaxInflation = 1032;

/// A file read through zlib, which passes plain files on as they are.
class InflatingFile {
 public:
  InflatingFile(const std::filesystem::path& path, const std::string& remedy) : path_(path), remedy_(remedy) {
    Descriptor descriptor = open_for_reading(path);
    file_ = gzdopen(descriptor.get(), "rb");
    check(file_ != nullptr, "{}: cannot read: zlib has no memory", path.string());
    descriptor.release();  // zlib owns it now
    gzbuffer(file_, 1u << 17);
  }
  ~InflatingFile() { gzclose_r(file_); }
  InflatingFile(const InflatingFile&) = delete;
  InflatingFile& operator=(const InflatingFile&) = delete;

  /// Reads until `out` is full or the file ends; returns the bytes read.
  std::size_t read(std::span<std::uint8_t> out) {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto chunk = static_cast<unsigned>(std::min<std::size_t>(out.size() - done, 1u << 30));
      const int count = gzread(file_, out.data() + done, chunk);
      if (count < 0) damaged("its gzip data are damaged ({})", error_text());
      if (count == 0) {
        check_whole();
        break;
      }
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  template <class... Args>
  [[noreturn]] void damaged(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::data, "{}: no valid idx file: {}; {}", path_.string(),
         fmt::format(format, std::forward<Args>(args)...), remedy_);
  }

 private:
  /// zlib gives what it has of a gzip file that is cut off, and says so only here.
  void check_whole() const {
    int code = Z_OK;
    gzerror(file_, &code);
    if (code != Z_OK && code != Z_STREAM_END) damaged("its gzip data are damaged ({})", error_text());
  }

  std::string error_text() const {
    int code = Z_OK;
    const std::string_view text = gzerror(file_, &code);
    // zlib puts its own name of the file first.
    const std::size_t colon = text.rfind(": ");
    return std::string(colon == std::string_view::npos ? text : text.substr(colon + 2));
  }

  std::filesystem::path path_;
  std::string remedy_;
  gzFile file_ = nullptr;
};

std::uint32_t read_big_endian(InflatingFile& file) {
  std::array<std::uint8_t, 4> bytes{};
  const std::size_t count = file.read(bytes);
  if (count != bytes.size()) file.damaged("it ends within its header");
  std::uint32_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

IdxArray read_idx(const std::filesystem::path& path, int rank, const std::string& remedy) {
  InflatingFile file(path, remedy);
  const std::uint32_t magic = read_big_endian(file);
  const std::uint32_t wanted = kMagicOfBytes + static_cast<std::uint32_t>(rank);
  if (magic != wanted)
    file.damaged("it starts with 0x{:08x}, unsigned bytes of rank {} with 0x{:08x}", magic, rank, wanted);
  const std::uint64_t most = std::filesystem::file_size(path) * kMaxInflation;
  std::vector<std::int64_t> dims;
  std::uint64_t size = 1;
  bool fits = true;
  for (int i = 0; i < rank; ++i) {
    const std::uint64_t extent = read_big_endian(file);
    dims.push_back(static_cast<std::int64_t>(extent));
    fits = fits && !__builtin_mul_overflow(size, extent, &size);
  }
  const std::string shape = fmt::format("{}", Shape(dims).str());
  if (!fits || size > most) file.damaged("its header declares {} bytes, more than the file can hold", shape);
  IdxArray array{.shape = Shape(dims), .values = std::vector<std::uint8_t>(static_cast<std::size_t>(size))};
  const std::size_t count = file.read(array.values);
  if (count != array.values.size()) file.damaged("it is truncated: {} of {} bytes of {}", count, size, shape);
  std::uint8_t beyond = 0;
  if (file.read(std::span(&beyond, 1)) != 0) file.damaged("bytes follow the {} that its header declares", shape);
  return array;
}

}  // namespace graft
