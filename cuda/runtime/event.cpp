#include "cuda/runtime/event.h"

#include "cuda/runtime/check.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

Event::Event(Timing timing) {
  const unsigned flags = timing == Timing::on ? 0u : static_cast<unsigned>(cudaEventDisableTiming);
  check_cuda(cudaEventCreateWithFlags(&handle_, flags), "cudaEventCreateWithFlags");
}

Event::~Event() { cudaEventDestroy(handle_); }

void Event::record(const Stream& stream) const {
  check_cuda(cudaEventRecord(handle_, stream.handle()), "cudaEventRecord");
}

void Event::synchronize() const { check_cuda(cudaEventSynchronize(handle_), "cudaEventSynchronize"); }

bool Event::passed() const {
  const cudaError_t state = cudaEventQuery(handle_);
  if (state == cudaErrorNotReady) return false;
  check_cuda(state, "cudaEventQuery");
  return true;
}

float Event::milliseconds_since(const Event& start) const {
  float milliseconds = 0.0f;
  check_cuda(cudaEventElapsedTime(&milliseconds, start.handle_, handle_), "cudaEventElapsedTime");
  return milliseconds;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
