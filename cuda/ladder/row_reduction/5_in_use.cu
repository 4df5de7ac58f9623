// Step 5: the kernel in use, cuda/kernels/sum_rows.cu. It issues the loads of four rows before it adds the first, so
// that 64 bytes a thread are on their way; it takes bf16 as well, eight channels a load, any number of channels and any
// address, falling back to single elements; and where one block of rows is enough it needs no second kernel.
//
// Bound: memory; every byte of x is read once.

#include "cuda/kernels/sum_rows.h"
#include "cuda/ladder/row_reduction/ladder.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void row_ladder_in_use(const Stream& stream, const RowReduction& problem) {
  sum_rows(stream, DType::f32, problem.x, problem.rows, problem.channels, problem.workspace, kRowLadderWorkspaceBytes,
           problem.y);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
