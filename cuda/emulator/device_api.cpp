#include "cuda/emulator/device_api.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "cuda/emulator/device_plan.h"

namespace graft::cuda::inline emulated {

struct EmulatedGraph {
  std::vector<std::function<void()>> nodes;
};
struct EmulatedGraphExec {
  std::vector<std::function<void()>> nodes;
};
struct EmulatedStream {
  emulator::ThreadOrder order;
  EmulatedGraph* captured = nullptr;  ///< not null while the stream is being captured
};
struct EmulatedEvent {
  std::chrono::steady_clock::time_point when;
};

namespace {

constexpr std::size_t kAlignment = 512;
constexpr int kUninitialised = 0xff;
constexpr int kVersion = 13000;

thread_local emulator::ThreadOrder default_order;
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

cudaError_t result(cudaError_t error) {
  if (error != cudaSuccess) last_error = error;
  return error;
}

/// Does the work now, or records it while the stream is captured.
cudaError_t give(cudaStream_t stream, std::function<void()> work) {
  if (stream->captured != nullptr) {
    stream->captured->nodes.push_back(std::move(work));
  } else {
    work();
  }
  return result(cudaSuccess);
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorNoKernelImageForDevice:
      return "cudaErrorNoKernelImageForDevice";
    case cudaErrorIllegalAddress:
      return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
      return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated:
      return "cudaErrorStreamCaptureInvalidated";
  }
  return "unknown";
}

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInsufficientDriver:
      return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorNoDevice:
      return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNoKernelImageForDevice:
      return "no kernel image is available for execution on the device";
    case cudaErrorIllegalAddress:
      return "an illegal memory access was encountered";
    case cudaErrorLaunchFailure:
      return "unspecified launch failure";
    case cudaErrorStreamCaptureUnsupported:
      return "operation not permitted when stream is capturing";
    case cudaErrorStreamCaptureInvalidated:
      return "operation failed due to a previous error during capture";
  }
  return "unknown";
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = last_error;
  last_error = cudaSuccess;
  return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

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
cudaError_t cudaDeviceSynchronize() { return result(cudaSuccess); }

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
  *total = emulator::device_plan().memory;
  const std::lock_guard lock(device().mutex);
  *available = *total - device().used;
  return result(cudaSuccess);
}

cudaError_t cudaMalloc(void** address, std::size_t bytes) {
  const std::size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::lock_guard lock(device().mutex);
  if (rounded > emulator::device_plan().memory - device().used) return result(cudaErrorMemoryAllocation);
  *address = rounded == 0 ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (rounded == 0) return result(cudaSuccess);
  if (*address == nullptr) return result(cudaErrorMemoryAllocation);
  std::memset(*address, kUninitialised, rounded);
  device().blocks[*address] = rounded;
  device().used += rounded;
  return result(cudaSuccess);
}

cudaError_t cudaFree(void* address) {
  if (address == nullptr) return result(cudaSuccess);
  const std::lock_guard lock(device().mutex);
  const auto block = device().blocks.find(address);
  if (block == device().blocks.end()) return result(cudaErrorInvalidValue);
  device().used -= block->second;
  device().blocks.erase(block);
  std::free(address);
  return result(cudaSuccess);
}

cudaError_t cudaMallocHost(void** address, std::size_t bytes) {
  *address = std::malloc(bytes);
  return result(*address != nullptr || bytes == 0 ? cudaSuccess : cudaErrorMemoryAllocation);
}
cudaError_t cudaFreeHost(void* address) {
  std::free(address);
  return result(cudaSuccess);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  *stream = new EmulatedStream{.order = default_order};
  return result(cudaSuccess);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return result(cudaSuccess);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return result(stream->captured != nullptr ? cudaErrorStreamCaptureUnsupported : cudaSuccess);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t /*stream*/, cudaEvent_t /*event*/, unsigned /*flags*/) {
  return result(cudaSuccess);
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t stream) {
  return give(stream, [=] {
    if (bytes > 0) std::memcpy(to, from, bytes);
  });
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return give(stream, [=] {
    if (bytes > 0) std::memset(to, value, bytes);
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  *event = new EmulatedEvent{};
  return result(cudaSuccess);
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return result(cudaSuccess);
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return give(stream, [event] { event->when = std::chrono::steady_clock::now(); });
}
cudaError_t cudaEventQuery(cudaEvent_t /*event*/) { return result(cudaSuccess); }
cudaError_t cudaEventSynchronize(cudaEvent_t /*event*/) { return result(cudaSuccess); }
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(end->when - start->when).count();
  return result(cudaSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode /*mode*/) {
  if (stream->captured != nullptr) return result(cudaErrorStreamCaptureUnsupported);
  stream->captured = new EmulatedGraph{};
  return result(cudaSuccess);
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream->captured == nullptr) return result(cudaErrorInvalidValue);
  *graph = std::exchange(stream->captured, nullptr);
  return result(cudaSuccess);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->captured != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return result(cudaSuccess);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long /*flags*/) {
  *exec = new EmulatedGraphExec{graph->nodes};
  return result(cudaSuccess);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (stream->captured != nullptr) return result(cudaErrorStreamCaptureUnsupported);
  for (const std::function<void()>& node : exec->nodes) node();
  return result(cudaSuccess);
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return result(cudaSuccess);
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return result(cudaSuccess);
}

}  // namespace graft::cuda::inline emulated

namespace graft::cuda::emulator {

void launch_kernel(emulated::cudaStream_t stream, const GridShape& shape, std::function<void()> thread) {
  emulated::give(stream,
                 [shape, order = stream->order, thread = std::move(thread)] { run_grid(shape, order, thread); });
}

ScopedThreadOrder::ScopedThreadOrder(const ThreadOrder& order)
    : previous_(std::exchange(emulated::default_order, order)) {}
ScopedThreadOrder::~ScopedThreadOrder() { emulated::default_order = previous_; }

}  // namespace graft::cuda::emulator
