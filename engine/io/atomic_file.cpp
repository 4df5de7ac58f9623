#include "engine/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace graft {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
constexpr std::uint64_t kAheadBytes = std::uint64_t{32} << 20;
constexpr const char* kTemporaryMark = ".graft-tmp-";

/// Creates PATH.graft-tmp-PID-K with the first K that is free: other threads, and killed processes whose number came
/// round again, may have left lower ones.
Descriptor create_temporary(const std::filesystem::path& path, std::filesystem::path& temporary) {
  for (int k = 0;; ++k) {
    temporary = path;
    temporary += kTemporaryMark + std::to_string(::getpid()) + "-" + std::to_string(k);
    const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return Descriptor(descriptor);
    if (errno != EEXIST && errno != EINTR) return Descriptor();
  }
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = create_temporary(path_, temporary_);
  if (!descriptor_.is_open()) fail_system(ErrorKind::failure, path_, "write", errno);
}

AtomicFile::~AtomicFile() { remove_temporary(); }

void AtomicFile::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (block_.empty() && bytes.size() >= kBlockBytes) {
      const std::size_t whole = std::min<std::size_t>(bytes.size() / kBlockBytes * kBlockBytes, kAheadBytes);
      pass_on(bytes.first(whole));
      bytes = bytes.subspan(whole);
      continue;
    }
    const std::size_t count = std::min(bytes.size(), kBlockBytes - block_.size());
    block_.insert(block_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (block_.size() < kBlockBytes) return;
    pass_on(block_);
    block_.clear();
  }
}

void AtomicFile::pass_on(std::span<const std::byte> bytes) {
  if (!write_all(descriptor_.get(), bytes)) fail_write(errno);
  passed_on_ += bytes.size();
  if (passed_on_ - on_its_way_ < kAheadBytes) return;
  // The disk works while more is written, so that fsync finds little to wait for. Only advice: fsync tells the errors.
  ::sync_file_range(descriptor_.get(), static_cast<off64_t>(on_its_way_),
                    static_cast<off64_t>(passed_on_ - on_its_way_), SYNC_FILE_RANGE_WRITE);
  on_its_way_ = passed_on_;
}

void AtomicFile::commit(bool flush) {
  pass_on(block_);
  if (flush && ::fsync(descriptor_.get()) != 0) fail_write(errno);
  if (!descriptor_.close()) fail_write(errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_write(errno);
  temporary_.clear();
  if (flush && !sync_folder_of(path_)) fail_write(errno);
}

void AtomicFile::fail_write(int error_number) {
  remove_temporary();
  fail_system(ErrorKind::failure, path_, "write", error_number);
}

void AtomicFile::remove_temporary() noexcept {
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  temporary_.clear();
}

int remove_temporaries(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().find(kTemporaryMark) != std::string::npos) found.push_back(entry.path());
  }
  for (const auto& path : found) std::filesystem::remove(path, error);
  return static_cast<int>(found.size());
}

}  // namespace graft
