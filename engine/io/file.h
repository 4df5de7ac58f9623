#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace graft {

/// A file mapped read-only. Throws Error(data) naming the file if it cannot be opened.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Whether the system may read further than asked, as it does at first: good for data, while headers that lie
  /// scattered over a file would bring in much of it.
  void read_ahead(bool ahead) const;

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A whole file as text. Throws Error(data) naming it.
std::string read_text(const std::filesystem::path& path);
/// Replaces a file as one step: temporary file beside it, fsync, rename, fsync of the folder. Throws Error(failure)
/// naming the file and the system's reason ("no space left on device"); then the old file is untouched and no temporary
/// stays.
void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_text_atomically(const std::filesystem::path& path, std::string_view text);

/// Appends whole lines durably (write, then fdatasync). On opening cuts off a last line without '\n'.
class LineAppender {
 public:
  explicit LineAppender(const std::filesystem::path& path);
  ~LineAppender();
  LineAppender(const LineAppender&) = delete;
  LineAppender& operator=(const LineAppender&) = delete;
  /// Writes line + '\n'. On failure takes back what was written of it and throws Error(failure) with file and reason.
  void append(std::string_view line);
  /// True iff opening had to cut off a torn line.
  bool repaired() const { return repaired_; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool repaired_ = false;
};

}  // namespace graft
