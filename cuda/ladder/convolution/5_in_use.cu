// Step 5, the kernel in use (cuda/kernels/conv_simt_forward.cu): two buffers in shared memory. What the next turn needs
// is loaded into registers before the present turn's multiplications and stored after them into the other buffer, so
// the loads' latency passes behind 512 multiply-adds a thread and one barrier a turn is enough. Results leave in stores
// of 16 bytes. The tile follows the shape: 128 x 128 outputs by 256 threads where they still fill the device, and
// narrower ones for few output channels, where a square tile would compute what nobody needs.
//
// Bound: arithmetic; 64 multiply-adds a thread for 4 reads of shared memory.

#include "cuda/kernels/conv_simt_forward.h"
#include "cuda/ladder/convolution/ladder.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void conv_ladder_in_use(const Stream& stream, const ConvProblem& problem, const float* x, const float* w, float* y) {
  conv_simt_forward(stream, DType::f32, problem, x, w, {}, y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
