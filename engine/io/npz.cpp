#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/io/byte_cursor.h"
#include "engine/io/checkpoint_readers.h"
#include "engine/io/inflate.h"
#include "engine/io/npy_header.h"
#include "engine/io/strided_copy.h"

namespace graft {
namespace {

constexpr std::string_view kSuffix = ".npy";

/// Elements as the file has them, row-major and little-endian into `destination`.
void arrange(const NpyHeader& header, std::span<const std::byte> elements, std::span<std::byte> destination) {
  if (destination.empty()) return;
  if (header.fortran_order) {
    copy_strided(elements, header.element, header.shape, column_major_strides(header.shape), destination);
  } else {
    std::memcpy(destination.data(), elements.data(), destination.size());
  }
  if (!header.big_endian) return;
  for (auto at = destination.begin(); at != destination.end(); at += static_cast<std::ptrdiff_t>(header.element)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(header.element));
  }
}

/// Deflated data read front to back, with the checksum of what was read.
class CheckedInflater {
 public:
  explicit CheckedInflater(const ZipEntry& entry) : entry_(entry), inflater_(entry.data) {}

  void read(std::span<std::byte> out) {
    if (out.size() > entry_.size - position_) damaged("its entry '{}' ends early", printable(entry_.name));
    inflater_.read(out);
    position_ += out.size();
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(out.data()), out.size());
  }

  void finish() {
    inflater_.expect_end();
    if (crc_ != entry_.crc) damaged("the checksum of its entry '{}' is wrong", printable(entry_.name));
  }

 private:
  const ZipEntry& entry_;
  Inflater inflater_;
  std::uint64_t position_ = 0;
  uLong crc_ = 0;
};

NpyHeader header_of(const ZipEntry& entry) {
  if (!entry.deflated) {
    ByteCursor cursor(entry.data, "its entry");
    return read_npy_header([&](std::size_t count) { return cursor.take(count); });
  }
  CheckedInflater inflater(entry);
  std::vector<std::byte> buffer;
  return read_npy_header([&](std::size_t count) {
    buffer.resize(count);
    inflater.read(buffer);
    return std::span<const std::byte>(buffer);
  });
}

void check_size(const NpyHeader& header, std::uint64_t size, std::string_view name) {
  if (header.problem.empty() && size - header.begin != header.nbytes) {
    damaged("'{}' has {} bytes of elements, its dtype and shape ask for {}", printable(name), size - header.begin,
            header.nbytes);
  }
}

struct NpyArray {
  NpyHeader header;
  ZipEntry entry;  ///< a plain .npy file is one, too
};

/// The arrays of a .npz file, or the one of a .npy file.
class NpyCheckpoint : public Checkpoint {
 public:
  NpyCheckpoint(const std::filesystem::path& path, std::string format, std::shared_ptr<const MappedFile> file,
                const std::vector<ZipEntry>& entries)
      : Checkpoint(path, std::move(format)), file_(std::move(file)) {
    for (const ZipEntry& entry : entries) {
      arrays_.push_back({.header = header_of(entry), .entry = entry});
      const NpyHeader& header = arrays_.back().header;
      check_size(header, entry.size, entry.name);
      std::string name = entry.name;
      if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
      add({.name = std::move(name),
           .dtype = header.descr,
           .known = header.known,
           .shape = header.shape,
           .nbytes = header.nbytes,
           .problem = header.problem});
    }
  }

 private:
  void read_tensor(std::size_t index, std::span<std::byte> destination) const override {
    const auto& [header, entry] = arrays_[index];
    if (!entry.deflated) return arrange(header, entry.data.subspan(header.begin), destination);
    CheckedInflater inflater(entry);
    std::vector<std::byte> scratch(header.begin);
    inflater.read(scratch);
    if (!header.fortran_order && !header.big_endian) {
      inflater.read(destination);
    } else {
      scratch.resize(destination.size());
      inflater.read(scratch);
      arrange(header, scratch, destination);
    }
    inflater.finish();
  }

  std::optional<std::span<const std::byte>> mapped_tensor(std::size_t index) const override {
    const auto& [header, entry] = arrays_[index];
    if (entry.deflated || header.fortran_order || header.big_endian) return std::nullopt;
    return entry.data.subspan(header.begin);
  }

  std::shared_ptr<const MappedFile> file_;
  std::vector<NpyArray> arrays_;
};

}  // namespace

bool is_npy(std::span<const std::byte> bytes) { return as_text(bytes).starts_with("\x93NUMPY"); }

bool is_npz(const ZipArchive& archive) {
  const auto& entries = archive.entries();
  return !entries.empty() && std::all_of(entries.begin(), entries.end(),
                                         [](const ZipEntry& entry) { return entry.name.ends_with(kSuffix); });
}

std::unique_ptr<Checkpoint> open_npy(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file) {
  const ZipEntry whole{.name = path.filename().string(),
                       .deflated = false,
                       .data = file->bytes(),
                       .size = file->bytes().size(),
                       .crc = 0};
  return std::make_unique<NpyCheckpoint>(path, "npy", std::move(file), std::vector<ZipEntry>{whole});
}

std::unique_ptr<Checkpoint> open_npz(const std::filesystem::path& path, std::shared_ptr<const MappedFile> file,
                                     const ZipArchive& archive) {
  return std::make_unique<NpyCheckpoint>(path, "npz", std::move(file), archive.entries());
}

}  // namespace graft
