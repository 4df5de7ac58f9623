#include "cuda/runtime/stream.h"

#include "cuda/runtime/check.h"
#include "cuda/runtime/event.h"
#include "cuda/runtime/kernel_timer.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

Stream::Stream(const Device& device) : device_(device) {
  check_cuda(cudaSetDevice(device.index), "cudaSetDevice");
  check_cuda(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

Stream::~Stream() { cudaStreamDestroy(handle_); }

void Stream::synchronize() const { check_cuda(cudaStreamSynchronize(handle_), "cudaStreamSynchronize"); }

void Stream::wait(const Event& event) const {
  check_cuda(cudaStreamWaitEvent(handle_, event.handle(), 0), "cudaStreamWaitEvent");
}

void Stream::copy(const void* from, void* to, std::size_t bytes) const {
  if (bytes == 0) return;
  timed(*this, "copy",
        [&] { check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, handle_), "cudaMemcpyAsync"); });
}

void Stream::fill_bytes(void* to, int value, std::size_t bytes) const {
  if (bytes == 0) return;
  timed(*this, "fill_bytes", [&] { check_cuda(cudaMemsetAsync(to, value, bytes, handle_), "cudaMemsetAsync"); });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
