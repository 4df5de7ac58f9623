#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "engine/io/descriptor.h"
#include "engine/io/file.h"

namespace graft {
namespace {

/// Keeps other processes from appending to the same file. Where a file system knows no locks, there is one writer.
class FileLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

/// Bytes up to and with the last '\n' before `size`; -1 with errno set if the file cannot be read.
off_t whole_lines_end(int descriptor, off_t size) {
  std::array<char, 4096> buffer{};
  // A whole file, the usual case, costs one byte.
  off_t block = 1;
  for (off_t end = size; end > 0; block = static_cast<off_t>(buffer.size())) {
    const off_t begin = std::max<off_t>(0, end - block);
    const ssize_t count = ::pread(descriptor, buffer.data(), static_cast<std::size_t>(end - begin), begin);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return -1;
    for (ssize_t i = count - 1; i >= 0; --i) {
      if (buffer[static_cast<std::size_t>(i)] == '\n') return begin + i + 1;
    }
    end = begin;
  }
  return 0;
}

/// Cuts off what follows the last '\n' and returns the file's size then; -1 with errno set on failure.
off_t cut_torn_line(int descriptor, bool& repaired) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return -1;
  const off_t end = whole_lines_end(descriptor, status.st_size);
  if (end < 0 || end == status.st_size) return end;
  if (::ftruncate(descriptor, end) != 0) return -1;
  repaired = true;
  return end;
}

}  // namespace

LineAppender::LineAppender(const std::filesystem::path& path) : path_(path) {
  Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!descriptor.is_open()) fail_system(ErrorKind::failure, path_, "write", errno);
  {
    const FileLock lock(descriptor.get());
    if (cut_torn_line(descriptor.get(), repaired_) < 0) fail_system(ErrorKind::failure, path_, "repair", errno);
  }
  if (!sync_folder_of(path_)) fail_system(ErrorKind::failure, path_, "write", errno);
  descriptor_ = descriptor.release();
}

LineAppender::~LineAppender() { ::close(descriptor_); }

void LineAppender::append(std::string_view line) {
  check(line.find('\n') == std::string_view::npos, "[append] {}: a line may not contain a line break", path_.string());
  const std::string whole = std::string(line) + "\n";
  const FileLock lock(descriptor_);
  // Another process may have been killed within its line since this one opened the file.
  const off_t before = cut_torn_line(descriptor_, repaired_);
  if (before < 0) fail_system(ErrorKind::failure, path_, "write", errno);
  if (write_all(descriptor_, std::as_bytes(std::span(whole))) && ::fdatasync(descriptor_) == 0) return;
  const int error_number = errno;
  // Should this fail too, the next append or opening cuts the torn line off.
  [[maybe_unused]] const int taken_back = ::ftruncate(descriptor_, before);
  fail_system(ErrorKind::failure, path_, "write", error_number);
}

}  // namespace graft
