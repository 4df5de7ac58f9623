#include "engine/io/file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "engine/io/atomic_file.h"
#include "engine/io/descriptor.h"

namespace graft {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor descriptor = open_for_reading(path);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail_system(ErrorKind::data, path, "read", errno);
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;  // nothing to map, and mmap refuses an empty range
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) fail_system(ErrorKind::data, path, "map into memory", errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::read_ahead(bool ahead) const {
  // Only advice: without it everything is as right, and slower.
  if (data_ != nullptr) ::madvise(const_cast<std::byte*>(data_), size_, ahead ? MADV_NORMAL : MADV_RANDOM);
}

std::string read_text(const std::filesystem::path& path) {
  const Descriptor descriptor = open_for_reading(path);
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system(ErrorKind::data, path, "read", errno);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_text_atomically(const std::filesystem::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace graft
