#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

StoragePtr ReferenceBackend::allocate(std::size_t bytes) {
  const std::size_t whole = std::max(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  void* data = whole >= bytes ? std::aligned_alloc(kAlignment, whole) : nullptr;
  if (data == nullptr) fail(ErrorKind::device, "[allocate] no memory for {} bytes: use a smaller batch", bytes);
  *bytes_in_use_ += bytes;
  return std::make_shared<Storage>(data, bytes, [in_use = bytes_in_use_](void* block, std::size_t size) {
    std::free(block);
    *in_use -= size;
  });
}

void ReferenceBackend::copy_from_host(const void* source, const Tensor& destination) {
  check_host_copy("copy_from_host", *this, destination, source);
  if (destination.nbytes() > 0) std::memcpy(destination.raw(), source, destination.nbytes());
}

void ReferenceBackend::copy_to_host(const Tensor& source, void* destination) {
  check_host_copy("copy_to_host", *this, source, destination);
  if (source.nbytes() > 0) std::memcpy(destination, source.raw(), source.nbytes());
}

std::unique_ptr<Backend> make_reference_backend(const BackendOptions& options) {
  static_cast<void>(options);
  return std::make_unique<ReferenceBackend>();
}

}  // namespace graft
