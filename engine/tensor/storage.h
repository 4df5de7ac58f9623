#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>

namespace graft {

/// A block of a backend's memory and the way to give it back. Immutable in size; freed once, by the last owner.
class Storage {
 public:
  using Release = std::function<void(void* data, std::size_t bytes)>;

  Storage(void* data, std::size_t bytes, Release release) : data_(data), bytes_(bytes), release_(std::move(release)) {}
  ~Storage() {
    if (release_) release_(data_, bytes_);
  }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_;
  std::size_t bytes_;
  Release release_;
};

using StoragePtr = std::shared_ptr<Storage>;

}  // namespace graft
