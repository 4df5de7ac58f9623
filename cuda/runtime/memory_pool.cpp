#include "cuda/runtime/memory_pool.h"

#include <algorithm>

#include "cuda/runtime/check.h"
#include "cuda/runtime/graph.h"
#include "engine/base/error.h"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/emulator/device_memory.h"
#endif

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

// The emulator learns which bytes of a block somebody may touch.
void tell_given_out([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes,
                    [[maybe_unused]] std::size_t block_bytes) {
#ifdef GRAFT_CUDA_EMULATED
  emulator::pool_block_given_out(block, bytes, block_bytes);
#endif
}
void tell_taken_back([[maybe_unused]] void* block, [[maybe_unused]] std::size_t block_bytes) {
#ifdef GRAFT_CUDA_EMULATED
  emulator::pool_block_taken_back(block, block_bytes);
#endif
}

double mib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

std::shared_ptr<MemoryPool> MemoryPool::create(const Device& device) {
  return std::shared_ptr<MemoryPool>(new MemoryPool(device, std::make_shared<Account>(), false));
}

std::shared_ptr<MemoryPool> MemoryPool::create_private() const {
  return std::shared_ptr<MemoryPool>(new MemoryPool(device_, account_, true));
}

MemoryPool::~MemoryPool() { trim_locked(); }

StoragePtr MemoryPool::allocate(std::size_t bytes) {
  const std::size_t size = block_size(bytes);
  void* data = take(size);
  if (!private_) tell_given_out(data, bytes, size);
  {
    const std::lock_guard lock(account_->mutex);
    account_->statistics.in_use += bytes;
  }
  return std::make_shared<Storage>(data, bytes, [pool = shared_from_this(), size](void* block, std::size_t wanted) {
    pool->release(block, size, wanted);
  });
}

void* MemoryPool::take(std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (const auto found = free_.find(size); found != free_.end()) {
    void* data = found->second;
    free_.erase(found);
    return data;
  }
  void* data = reserve(size);
  if (data == nullptr && !private_) {  // what a graph has recorded works in its pool's free blocks too
    trim_locked();
    data = reserve(size);
  }
  if (data == nullptr) fail_for_want_of(size);
  return data;
}

/// nullptr if the device has no more.
void* MemoryPool::reserve(std::size_t size) {
  const CaptureAllowance allowance;  // a graph's own memory is allocated while it is captured
  void* data = nullptr;
  const cudaError_t error = cudaMalloc(&data, size);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  check_cuda(error, "cudaMalloc");
  const std::lock_guard lock(account_->mutex);
  MemoryStatistics& statistics = account_->statistics;
  statistics.reserved += size;
  statistics.peak_reserved = std::max(statistics.peak_reserved, statistics.reserved);
  ++statistics.device_requests;
  return data;
}

void MemoryPool::fail_for_want_of(std::size_t size) const {
  std::size_t available = 0;
  std::size_t total = 0;
  check_cuda(cudaMemGetInfo(&available, &total), "cudaMemGetInfo");
  const std::lock_guard lock(account_->mutex);
  fail(ErrorKind::device,
       "[cuda] out of memory on {}: {:.1f} MiB wanted, {:.1f} MiB held by tensors, {:.1f} of {:.1f} MiB free: lower "
       "the batch size or --jobs",
       device_.name, mib(size), mib(account_->statistics.in_use), mib(available), mib(total));
}

void MemoryPool::release(void* data, std::size_t block_bytes, std::size_t wanted_bytes) {
  {
    const std::lock_guard lock(account_->mutex);
    account_->statistics.in_use -= wanted_bytes;
  }
  if (!private_) tell_taken_back(data, block_bytes);
  const std::lock_guard lock(mutex_);
  free_.emplace(block_bytes, data);
}

MemoryStatistics MemoryPool::statistics() const {
  const std::lock_guard lock(account_->mutex);
  return account_->statistics;
}

void MemoryPool::trim() {
  const std::lock_guard lock(mutex_);
  trim_locked();
}

void MemoryPool::trim_locked() {
  if (free_.empty()) return;
  const CaptureAllowance allowance;
  const std::lock_guard lock(account_->mutex);
  for (const auto& [size, data] : free_) {
    cudaFree(data);  // waits for the device; in a destructor there is nobody to tell of an error
    account_->statistics.reserved -= size;
  }
  free_.clear();
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
