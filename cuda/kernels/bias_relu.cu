// y[r, c] = x[r, c] [+ bias[c]] [+ residual[r, c]] [then ReLU] over a matrix, computed in f32.
//
// Threads: each moves four elements of a row, 16 bytes of f32; neighbouring threads take neighbouring ones. Rows whose
// length is no multiple of four, and arrays that do not start at a multiple of 16 bytes, go element by element.
// Bound: memory; count * (size of x + size of y, and of the residual) bytes, the bias comes from L1.

#include "cuda/kernels/bias_relu.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;

template <int N, class X, class Y>
__global__ void bias_relu_kernel(const X* x, const float* bias, const Y* residual, bool relu, std::int64_t count,
                                 std::int64_t columns, Y* y) {
  for_each_unrolled<kUnroll>(
      count / N, [&](std::int64_t i) { return load_vector<N>(x + i * N); },
      [&](std::int64_t i, const Vector<X, N>& vector) {
        const std::int64_t column = i * N % columns;
        Vector<Y, N> result{};
        if (residual != nullptr) result = load_vector<N>(residual + i * N);
#pragma unroll
        for (int k = 0; k < N; ++k) {
          float value = to_float(vector.element[k]);
          if (bias != nullptr) value += bias[column + k];
          value += to_float(result.element[k]);
          result.element[k] = from_float<Y>(relu && value < 0.0f ? 0.0f : value);
        }
        store_vector(y + i * N, result);
      });
}

template <class X, class Y>
void run(const Stream& stream, const void* x, const float* bias, const void* residual, bool relu, std::int64_t count,
         std::int64_t columns, void* y) {
  constexpr int kElements = 4;
  const bool vectors = columns % kElements == 0 && aligned_to_16(x, residual, y);
  const dim3 grid = unrolled_grid(vectors ? count / kElements : count, kUnroll);
  launch(stream, {.kernel = "bias_relu", .grid = grid, .block = kBlockThreads},
         vectors ? bias_relu_kernel<kElements, X, Y> : bias_relu_kernel<1, X, Y>, static_cast<const X*>(x), bias,
         static_cast<const Y*>(residual), relu, count, columns, static_cast<Y*>(y));
}

}  // namespace

void bias_relu(const Stream& stream, DType x_dtype, DType y_dtype, const void* x, const float* bias,
               const void* residual, bool relu, std::int64_t rows, std::int64_t columns, void* y) {
  const std::int64_t count = rows * columns;
  with_float_type(y_dtype, [&](auto type) {
    using Y = decltype(type);
    if (x_dtype == DType::f32) {
      run<float, Y>(stream, x, bias, residual, relu, count, columns, y);
    } else {
      run<bf16, bf16>(stream, x, bias, residual, relu, count, columns, y);
    }
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
