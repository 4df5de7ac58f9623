#include "cuda/emulator/device_api.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "cuda/emulator/device_memory.h"
#include "cuda/emulator/device_plan.h"
#include "cuda/emulator/device_state.h"

namespace graft::cuda::inline emulated {

namespace {

constexpr std::size_t kAlignment = 512;

std::size_t rounded(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }
constexpr int kVersion = 13000;

thread_local cudaError_t last_error = cudaSuccess;

/// The one emulated device: what has been given out.
struct Device {
  std::mutex mutex;
  std::map<void*, std::size_t> blocks;
  std::size_t used = 0;
};
Device& device() {
  static Device instance;
  return instance;
}

}  // namespace

cudaError_t result(cudaError_t error) {
  if (device_failure() != cudaSuccess) return device_failure();
  if (error != cudaSuccess) last_error = error;
  return error;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = std::exchange(last_error, cudaSuccess);
  return device_failure() != cudaSuccess ? device_failure() : error;
}
cudaError_t cudaPeekAtLastError() { return device_failure() != cudaSuccess ? device_failure() : last_error; }

cudaError_t cudaDriverGetVersion(int* version) {
  *version = emulator::device_plan().driver_version;
  return result(cudaSuccess);
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kVersion;
  return result(cudaSuccess);
}
cudaError_t cudaGetDeviceCount(int* count) {
  const emulator::DevicePlan& plan = emulator::device_plan();
  *count = 0;
  if (plan.driver_version < kVersion) return result(cudaErrorInsufficientDriver);
  if (plan.devices == 0) return result(cudaErrorNoDevice);
  *count = plan.devices;
  return result(cudaSuccess);
}
cudaError_t cudaSetDevice(int index) { return result(index == 0 ? cudaSuccess : cudaErrorInvalidDevice); }
cudaError_t cudaGetDevice(int* index) {
  *index = 0;
  return result(cudaSuccess);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index != 0) return result(cudaErrorInvalidDevice);
  const emulator::DevicePlan& plan = emulator::device_plan();
  *properties = {};
  std::snprintf(properties->name, sizeof properties->name, "emulated");
  properties->totalGlobalMem = plan.memory;
  properties->major = plan.architecture / 10;
  properties->minor = plan.architecture % 10;
  properties->multiProcessorCount = plan.multiprocessors;
  properties->sharedMemPerBlockOptin = std::size_t{227} << 10;
  properties->l2CacheSize = 50 << 20;
  return result(cudaSuccess);
}
cudaError_t cudaDeviceSynchronize() {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  finish_all_streams();
  return result(cudaSuccess);
}

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  *total = emulator::device_plan().memory;
  const std::lock_guard lock(device().mutex);
  *available = *total - device().used;
  return result(cudaSuccess);
}

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  *address = nullptr;
  if (bytes == 0) return result(cudaSuccess);
  const std::lock_guard lock(device().mutex);
  if (rounded(bytes) > emulator::device_plan().memory - device().used) return result(cudaErrorMemoryAllocation);
  *address = emulator::allocate_device_memory(bytes);
  if (*address == nullptr) return result(cudaErrorMemoryAllocation);
  device().blocks[*address] = bytes;
  device().used += rounded(bytes);
  return result(cudaSuccess);
}

cudaError_t cudaFree(void* address) {
  if (address == nullptr) return result(cudaSuccess);
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  finish_all_streams();
  const std::lock_guard lock(device().mutex);
  const auto block = device().blocks.find(address);
  if (block == device().blocks.end()) return result(cudaErrorInvalidValue);
  device().used -= rounded(block->second);
  emulator::free_device_memory(address, block->second);
  device().blocks.erase(block);
  return result(cudaSuccess);
}

cudaError_t cudaMallocHost(void** address, std::size_t bytes) {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  *address = std::malloc(bytes);
  return result(*address != nullptr || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* address) {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  finish_all_streams();
  std::free(address);
  return result(cudaSuccess);
}

}  // namespace graft::cuda::inline emulated
