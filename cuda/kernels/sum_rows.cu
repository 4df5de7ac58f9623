// y[c] = sum over rows of x[row, c], in f32, as the gradient of a bias is.
//
// Threads: column_sums_kernel (device/column_sums.cuh) sums the rows of each block, a vector of channels a thread;
// where the rows are cut over several blocks, join_sums_kernel adds their partial sums in the order of the blocks' row
// numbers modulo kJoinStep, then as a tree: always the same one for a shape and a device.
// Bound: memory; rows * channels * size bytes.

#include "cuda/kernels/sum_rows.h"

#include "cuda/kernels/device/column_sums.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

void sum_rows(const Stream& stream, DType dtype, const void* x, std::int64_t rows, std::int64_t channels,
              void* workspace, std::size_t workspace_bytes, float* y) {
  if (channels == 0) return;
  with_column_types(dtype, channels, aligned_to_16(x), [&](auto type, auto vector) {
    using T = decltype(type);
    constexpr int kVector = decltype(vector)::value;
    ColumnTiling tiling = reducing_tiling(stream.device(), rows, channels, kVector);
    const auto most = static_cast<std::int64_t>(workspace_bytes / sizeof(float)) / channels;
    if (tiling.row_blocks > most) tiling = column_tiling(rows, channels, kVector, most, 1);
    auto* partial = tiling.row_blocks == 1 ? y : static_cast<float*>(workspace);
    launch(stream, {.kernel = "sum_rows", .grid = tiling.grid(), .block = kBlockThreads},
           column_sums_kernel<kVector, T, float>, static_cast<const T*>(x), tiling, 1.0f, partial);
    if (tiling.row_blocks == 1) return;
    join_sums(stream, partial, tiling.row_blocks, channels, y);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
