#include "cuda/runtime/memory_pool.h"

#include <algorithm>

#include "cuda/runtime/check.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr std::size_t kSmall = std::size_t{1} << 20;

/// Small blocks in steps of 512 bytes, large ones in steps of a sixteenth of their size, so that steps of equal shape
/// meet equal blocks and at most a sixteenth is wasted.
std::size_t block_size(std::size_t bytes) {
  std::size_t step = 512;
  if (bytes > kSmall) {
    while (step * 16 < bytes) step *= 2;
  }
  return std::max(step, (bytes + step - 1) / step * step);
}

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

std::shared_ptr<MemoryPool> MemoryPool::create(const Device& device) {
  return std::shared_ptr<MemoryPool>(new MemoryPool(device));
}

MemoryPool::~MemoryPool() { trim_locked(); }

StoragePtr MemoryPool::allocate(std::size_t bytes) {
  const std::size_t size = block_size(bytes);
  const std::lock_guard lock(mutex_);
  void* data = nullptr;
  if (const auto found = free_.find(size); found != free_.end()) {
    data = found->second;
    free_.erase(found);
  } else {
    cudaError_t error = cudaMalloc(&data, size);
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      trim_locked();
      error = cudaMalloc(&data, size);
    }
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      std::size_t available = 0;
      std::size_t total = 0;
      check_cuda(cudaMemGetInfo(&available, &total), "cudaMemGetInfo");
      fail(
          ErrorKind::device,
          "[cuda] out of memory on {}: {:.1f} MiB wanted, {:.1f} MiB held by tensors, {:.1f} of {:.1f} MiB free: lower "
          "the batch size or --jobs",
          device_.name, mib(size), mib(in_use_), mib(available), mib(total));
    }
    check_cuda(error, "cudaMalloc");
    reserved_ += size;
  }
  in_use_ += bytes;
  return std::make_shared<Storage>(data, bytes, [pool = shared_from_this(), size](void* block, std::size_t wanted) {
    pool->release(block, size, wanted);
  });
}

void MemoryPool::release(void* data, std::size_t block_bytes, std::size_t wanted_bytes) {
  const std::lock_guard lock(mutex_);
  in_use_ -= wanted_bytes;
  free_.emplace(block_bytes, data);
}

std::size_t MemoryPool::bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}
std::size_t MemoryPool::bytes_reserved() const {
  const std::lock_guard lock(mutex_);
  return reserved_;
}

void MemoryPool::trim() {
  const std::lock_guard lock(mutex_);
  trim_locked();
}

void MemoryPool::trim_locked() {
  for (const auto& [size, data] : free_) {
    cudaFree(data);  // waits for the device; in a destructor there is nobody to tell of an error
    reserved_ -= size;
  }
  free_.clear();
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
