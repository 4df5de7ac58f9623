#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "cuda/emulator/device_api.h"
#include "cuda/emulator/device_memory.h"
#include "cuda/emulator/device_plan.h"
#include "cuda/emulator/device_state.h"
#include "cuda/emulator/stream_queue.h"

// Streams, events and graphs of the emulated device.
namespace graft::cuda::inline emulated {

struct EmulatedGraph {
  std::vector<std::function<void()>> nodes;
};
struct EmulatedGraphExec {
  std::shared_ptr<const std::vector<std::function<void()>>> nodes;
};
struct EmulatedStream {
  emulator::ThreadOrder order;
  std::shared_ptr<emulator::StreamQueue> queue;
  std::unique_ptr<EmulatedGraph> captured{};  ///< not null while the stream is being captured
};
struct EmulatedEvent {
  using Time = std::chrono::steady_clock::time_point;
  std::shared_ptr<emulator::StreamQueue> queue;  ///< null: never recorded
  std::uint64_t position = 0;
  std::shared_ptr<Time> when = std::make_shared<Time>();
};

namespace {

thread_local emulator::ThreadOrder default_order;
thread_local bool default_deferred = false;
thread_local int captures = 0;  ///< of this thread that have begun and not ended
thread_local bool capture_lost = false;
thread_local cudaStreamCaptureMode capture_mode = cudaStreamCaptureModeGlobal;

std::atomic<cudaError_t> failure = cudaSuccess;
std::atomic<std::uint64_t> launches = 0;

/// The queues of all streams that are there.
struct Streams {
  std::mutex mutex;
  std::set<std::shared_ptr<emulator::StreamQueue>> queues;
};
Streams& streams() {
  static Streams instance;
  return instance;
}

/// Does the work in its turn, or records it while the stream is captured. Work that fails is met by the next call.
cudaError_t give(cudaStream_t stream, std::function<void()> work) {
  const cudaError_t before = result(cudaSuccess);
  if (before != cudaSuccess) return before;
  if (stream->captured != nullptr) {
    stream->captured->nodes.push_back(std::move(work));
  } else {
    stream->queue->give(std::move(work));
  }
  return cudaSuccess;
}

}  // namespace

cudaError_t device_failure() { return failure; }

bool allowed_in_capture() {
  if (captures == 0 || capture_mode == cudaStreamCaptureModeRelaxed) return true;
  capture_lost = true;
  return false;
}

void finish_all_streams() noexcept {
  std::set<std::shared_ptr<emulator::StreamQueue>> queues;
  {
    const std::lock_guard lock(streams().mutex);
    queues = streams().queues;
  }
  for (const auto& queue : queues) {
    try {
      queue->run_all();
    } catch (...) {  // NOLINT(bugprone-empty-catch): see the header
    }
  }
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  const bool deferred = default_deferred || emulator::device_plan().deferred != 0;
  *stream = new EmulatedStream{.order = default_order, .queue = std::make_shared<emulator::StreamQueue>(deferred)};
  if (deferred) emulator::pool_blocks_stay_open();
  const std::lock_guard lock(streams().mutex);
  streams().queues.insert((*stream)->queue);
  return result(cudaSuccess);
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (stream == nullptr) return result(cudaErrorInvalidValue);
  finish_all_streams();
  const std::lock_guard lock(streams().mutex);
  streams().queues.erase(stream->queue);
  delete stream;
  return result(cudaSuccess);
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream->captured != nullptr || !allowed_in_capture()) {
    capture_lost = true;
    return result(cudaErrorStreamCaptureUnsupported);
  }
  stream->queue->run_all();
  return result(cudaSuccess);
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned /*flags*/) {
  if (event->queue == nullptr) return result(cudaSuccess);
  return give(stream, [queue = event->queue, position = event->position] { queue->run_until(position); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t stream) {
  return give(stream, [=] {
    if (bytes == 0) return;
    std::memcpy(to, from, bytes);
    emulator::device_memory_copied(to, from, bytes);
  });
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  return give(stream, [=] {
    if (bytes == 0) return;
    std::memset(to, value, bytes);
    emulator::device_memory_written(to, bytes);
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return give(stream, [=] { function(data); });
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
  const cudaError_t error = give(stream, [when = event->when] { *when = EmulatedEvent::Time::clock::now(); });
  if (stream->captured != nullptr) return error;
  event->queue = stream->queue;
  event->position = stream->queue->position();
  return error;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  const bool passed = event->queue == nullptr || event->queue->passed(event->position);
  return passed ? result(cudaSuccess) : cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (!allowed_in_capture()) return result(cudaErrorStreamCaptureUnsupported);
  if (event->queue != nullptr) event->queue->run_until(event->position);
  return result(cudaSuccess);
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(*end->when - *start->when).count();
  return result(cudaSuccess);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  if (stream->captured != nullptr || mode != cudaStreamCaptureModeThreadLocal)
    return result(cudaErrorStreamCaptureUnsupported);
  stream->captured = std::make_unique<EmulatedGraph>();
  ++captures;
  capture_lost = false;
  return result(cudaSuccess);
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  if (stream->captured == nullptr) return result(cudaErrorInvalidValue);
  --captures;
  const std::unique_ptr<EmulatedGraph> captured = std::move(stream->captured);
  if (std::exchange(capture_lost, false)) return result(cudaErrorStreamCaptureInvalidated);
  *graph = new EmulatedGraph(*captured);
  return result(cudaSuccess);
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(capture_mode, *mode);
  return result(cudaSuccess);
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  *status = stream->captured != nullptr ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return result(cudaSuccess);
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long /*flags*/) {
  *exec = new EmulatedGraphExec{std::make_shared<const std::vector<std::function<void()>>>(graph->nodes)};
  return result(cudaSuccess);
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (stream->captured != nullptr) return result(cudaErrorStreamCaptureUnsupported);
  return give(stream, [nodes = exec->nodes] {
    for (const std::function<void()>& node : *nodes) node();
  });
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

emulated::cudaError_t launch_kernel(emulated::cudaStream_t stream, const GridShape& shape,
                                    std::function<void()> thread) {
  return emulated::give(stream, [shape, order = stream->order, thread = std::move(thread)] {
    if (emulated::failure != emulated::cudaSuccess) return;
    if (emulated::launches++ >= device_plan().launches) {
      emulated::failure = emulated::cudaErrorLaunchFailure;
      return;
    }
    run_grid(shape, order, thread);
  });
}

ScopedThreadOrder::ScopedThreadOrder(const ThreadOrder& order)
    : previous_(std::exchange(emulated::default_order, order)) {}
ScopedThreadOrder::~ScopedThreadOrder() { emulated::default_order = previous_; }

ScopedDeferredStreams::ScopedDeferredStreams() : previous_(std::exchange(emulated::default_deferred, true)) {}
ScopedDeferredStreams::~ScopedDeferredStreams() { emulated::default_deferred = previous_; }

}  // namespace graft::cuda::emulator
