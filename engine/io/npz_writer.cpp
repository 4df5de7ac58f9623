#include "engine/io/npz_writer.h"

#include <fmt/ranges.h>
#include <zlib.h>

#include <limits>

#include "engine/base/error.h"
#include "engine/io/extents.h"
#include "engine/io/format_fault.h"

namespace graft {
namespace {

constexpr std::uint64_t kMost32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kChecksumFollows = 1U << 3;
constexpr std::uint64_t kVersion = 20;
constexpr std::uint64_t kVersion64 = 45;
constexpr std::uint64_t kFirstDay = (1U << 5) | 1U;  // 1 January 1980, so that equal arrays give equal files
constexpr std::size_t kAlignment = 64;               // of an array's elements, as NumPy writes them
constexpr std::uint64_t kDirectoryRecord = 46;
constexpr std::uint64_t kLocalSignature = 0x04034b50;
constexpr std::uint64_t kDescriptorSignature = 0x08074b50;
constexpr std::uint64_t kCentralSignature = 0x02014b50;
constexpr std::uint64_t kEndSignature = 0x06054b50;
constexpr std::uint64_t kEnd64Signature = 0x06064b50;
constexpr std::uint64_t kLocator64Signature = 0x07064b50;

/// `bytes` bytes of a number, the lowest first; zeros behind its eight.
std::string little(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += i < 8 ? static_cast<char>((value >> (8 * i)) & 0xffU) : '\0';
  return out;
}

std::string npy_header_of(const NpzArray& array) {
  const std::string shape = fmt::format("({}{})", fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", array.descr, shape);
  constexpr std::size_t kBefore = 10;
  const std::size_t whole = (kBefore + dictionary.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  dictionary.resize(whole - kBefore - 1, ' ');
  dictionary += '\n';
  return std::string("\x93NUMPY") + little(1, 2) + little(dictionary.size(), 2) + dictionary;
}

/// What local header and directory say alike.
std::string common_fields(std::uint64_t crc, std::uint64_t size, bool zip64) {
  const std::uint64_t shown = zip64 ? kMost32 : size;
  return little(zip64 ? kVersion64 : kVersion, 2) + little(kChecksumFollows, 2) + little(0, 2) + little(0, 2) +
         little(kFirstDay, 2) + little(crc, 4) + little(shown, 4) + little(shown, 4);
}

}  // namespace

NpzWriter::NpzWriter(const std::filesystem::path& path, std::vector<NpzArray> arrays, bool zip64)
    : file_(path), path_(path), zip64_(zip64) {
  std::uint64_t total = 0;
  for (const NpzArray& array : arrays) {
    Entry entry{.name = fmt::format("{}.npy", array.name), .header = npy_header_of(array)};
    entry.size = entry.header.size() + dense_bytes(array.shape, array.element, array.name);
    total += entry.size + 2 * (kDirectoryRecord + entry.name.size());
    entries_.push_back(std::move(entry));
  }
  zip64_ = zip64_ || total > kMost32 / 2;
  if (!entries_.empty()) begin_entry();
}

void NpzWriter::write(std::span<const std::byte> elements) {
  check(current_ < entries_.size() && elements.size() <= entries_[current_].size - written_,
        "[npz] {}: more elements than the arrays have", path_.string());
  add(elements);
  end_full_entries();
}

void NpzWriter::begin_entry() {
  Entry& entry = entries_[current_];
  entry.offset = file_.size();
  const std::string sizes = zip64_ ? little(1, 2) + little(16, 2) + little(entry.size, 8) + little(entry.size, 8) : "";
  // Before the data neither checksum nor, where zip64 does not say them, sizes are told.
  put(little(kLocalSignature, 4) + common_fields(0, 0, zip64_) + little(entry.name.size(), 2) +
      little(sizes.size(), 2) + entry.name + sizes);
  written_ = 0;
  add(std::as_bytes(std::span(entry.header)));
  end_full_entries();
}

void NpzWriter::end_full_entries() {
  if (written_ < entries_[current_].size) return;
  const Entry& entry = entries_[current_];
  const int width = zip64_ ? 8 : 4;
  put(little(kDescriptorSignature, 4) + little(entry.crc, 4) + little(entry.size, width) + little(entry.size, width));
  ++current_;
  if (current_ < entries_.size()) begin_entry();
}

void NpzWriter::add(std::span<const std::byte> bytes) {
  Entry& entry = entries_[current_];
  file_.write(bytes);
  entry.crc =
      static_cast<std::uint32_t>(crc32_z(entry.crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  written_ += bytes.size();
}

void NpzWriter::put(const std::string& bytes) { file_.write(std::as_bytes(std::span(bytes))); }

std::string NpzWriter::central_record(const Entry& entry) const {
  std::string extra;
  if (zip64_) {
    extra = little(1, 2) + little(24, 2) + little(entry.size, 8) + little(entry.size, 8) + little(entry.offset, 8);
  }
  return little(kCentralSignature, 4) + little(zip64_ ? kVersion64 : kVersion, 2) +
         common_fields(entry.crc, entry.size, zip64_) + little(entry.name.size(), 2) + little(extra.size(), 2) +
         little(0, 2 + 2 + 2 + 4) + little(zip64_ ? kMost32 : entry.offset, 4) + entry.name + extra;
}

void NpzWriter::commit() {
  if (current_ != entries_.size()) {
    fail(ErrorKind::failure, "[npz] {}: array '{}' lacks elements", path_.string(), entries_[current_].name);
  }
  const std::uint64_t begin = file_.size();
  for (const Entry& entry : entries_) put(central_record(entry));
  const std::uint64_t end = file_.size();
  const std::uint64_t count = entries_.size();
  if (zip64_) {
    put(little(kEnd64Signature, 4) + little(44, 8) + little(kVersion64, 2) + little(kVersion64, 2) + little(0, 8) +
        little(count, 8) + little(count, 8) + little(end - begin, 8) + little(begin, 8));
    put(little(kLocator64Signature, 4) + little(0, 4) + little(end, 8) + little(1, 4));
  }
  put(little(kEndSignature, 4) + little(0, 4) + little(zip64_ ? 0xffff : count, 2) +
      little(zip64_ ? 0xffff : count, 2) + little(zip64_ ? kMost32 : end - begin, 4) +
      little(zip64_ ? kMost32 : begin, 4) + little(0, 2));
  file_.commit();
}

}  // namespace graft
