// C = op(A) op(B) [+ bias] [then ReLU] in IEEE f32 on CUDA cores.
//
// A block of 256 threads computes a tile of C of 128 x 128, 8 deep at a time, or of 64 x 64, 16 deep, where C is small.
// A and B lie in shared memory with M and N along the rows, whatever their layout in global memory, twice: while one
// depth is multiplied, the next is on its way from global memory to registers, and is stored to the other copy, so one
// barrier a depth is enough. A thread holds 8 x 8 sums as four blocks of 4 x 4, 64 rows and columns apart: the 16-byte
// reads of a warp are then broadcasts or neighbours, 4 of them for 64 multiply-adds. Global memory is read 16 bytes a
// thread where rows are aligned, element by element elsewhere, there by tiles of 64 x 64 alone.
//
// Registers by nvcc 13.0: 128 at 128 x 128, so two blocks a multiprocessor, at most 79 at 64 x 64; no spills on sm_90
// and sm_80.
// Bound: arithmetic; 2 m n k FLOPs at one fused multiply-add a CUDA core and clock.

#include <cstdint>

#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/kernels/gemm_launch.h"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kThreads = 256;
constexpr int kPart = 64;  ///< rows or columns of C that all threads cover with four each
/// How deep a block works at a time: as deep as registers allow for what is on its way.
constexpr int depth_of(int parts) { return parts == 2 ? 8 : 16; }
static_assert(kGemmSimtDepth % depth_of(1) == 0 && kGemmSimtDepth % depth_of(2) == 0);

struct GemmF32Parameters {
  const float* a;
  const float* b;
  const float* bias;  // [n] or null
  float* c;
  std::int64_t a_matrix;
  std::int64_t b_matrix;
  std::int64_t c_matrix;
  std::int64_t c_split;
  int m;
  int n;
  int k;
  int depths;  ///< of kGemmSimtDepth, in a range of K
  bool relu;
  bool c_vectors;
};

/// One operand on its way from global memory [kDepth x kExtent] to shared memory, in registers between. AlongDepth: K
/// runs along its rows in global memory. Neighbouring threads take neighbouring vectors of a row.
template <int Parts, bool AlongDepth, bool Vectors>
class OperandF32 {
 public:
  static constexpr int kExtent = Parts * kPart;
  static constexpr int kDepth = depth_of(Parts);
  static constexpr int kPitch = kExtent + 4;  ///< rows stay multiples of 16 bytes, columns do not share a bank

  /// From element `first` of `extent` along M or N, for depths in [begin, end).
  __device__ __forceinline__ OperandF32(const float* matrix, int extent, int depth_extent, int first, int begin,
                                        int end) {
    const std::int64_t pitch = AlongDepth ? depth_extent : extent;
    const int mn = first + place_mn();
    const int k = begin + place_k();
    source_ = AlongDepth ? matrix + mn * pitch + k : matrix + k * pitch + mn;
    step_ = AlongDepth ? kDepth : kDepth * pitch;
    left_ = extent - mn;
    depth_left_ = end - k;
  }

  /// Reads the next depth.
  __device__ __forceinline__ void read() {
    if constexpr (Vectors) {
      values_ = left_ > 0 && depth_left_ > 0 ? load_vector<4>(source_) : Vector<float, 4>{};
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool valid = AlongDepth ? left_ > 0 && depth_left_ > i : left_ > i && depth_left_ > 0;
        values_.element[i] = valid ? source_[i] : 0.0f;
      }
    }
    source_ += step_;
    depth_left_ -= kDepth;
  }

  __device__ __forceinline__ void store(float* shared) const {
    if constexpr (AlongDepth) {
#pragma unroll
      for (int i = 0; i < 4; ++i) shared[(place_k() + i) * kPitch + place_mn()] = values_.element[i];
    } else {
      store_vector(shared + place_k() * kPitch + place_mn(), values_);
    }
  }

 private:
  static constexpr int kRowVectors = (AlongDepth ? kDepth : kExtent) / 4;
  static_assert(kDepth * kExtent == 4 * kThreads, "a vector a thread");

  static __device__ __forceinline__ int place_mn() {
    const int thread = static_cast<int>(threadIdx.x);
    return AlongDepth ? thread / kRowVectors : thread % kRowVectors * 4;
  }
  static __device__ __forceinline__ int place_k() {
    const int thread = static_cast<int>(threadIdx.x);
    return AlongDepth ? thread % kRowVectors * 4 : thread / kRowVectors;
  }

  const float* source_;
  std::int64_t step_;
  int left_;
  int depth_left_;
  Vector<float, 4> values_;
};

template <int Parts>
struct SumsF32 {
  float value[Parts * 4][Parts * 4];  // row part * 4 + i is row part * 64 + thread_row * 4 + i of the tile
};

template <int Parts>
__device__ __forceinline__ void multiply_depth(const float* a, const float* b, int pitch, SumsF32<Parts>& sums) {
  const int row = static_cast<int>(threadIdx.x) / 16 * 4;
  const int column = static_cast<int>(threadIdx.x) % 16 * 4;
#pragma unroll
  for (int k = 0; k < depth_of(Parts); ++k) {
    Vector<float, 4> left[Parts];
    Vector<float, 4> right[Parts];
#pragma unroll
    for (int part = 0; part < Parts; ++part) {
      left[part] = load_vector<4>(a + k * pitch + part * kPart + row);
      right[part] = load_vector<4>(b + k * pitch + part * kPart + column);
    }
#pragma unroll
    for (int i = 0; i < Parts * 4; ++i) {
#pragma unroll
      for (int j = 0; j < Parts * 4; ++j)
        sums.value[i][j] = fmaf(left[i / 4].element[i % 4], right[j / 4].element[j % 4], sums.value[i][j]);
    }
  }
}

template <int Parts>
__device__ __forceinline__ void store_sums(const SumsF32<Parts>& sums, const GemmF32Parameters& p, float* c,
                                           int first_row, int first_column) {
  const int thread = static_cast<int>(threadIdx.x);
#pragma unroll
  for (int i = 0; i < Parts * 4; ++i) {
    const int row = first_row + i / 4 * kPart + thread / 16 * 4 + i % 4;
    if (row >= p.m) continue;
#pragma unroll
    for (int part = 0; part < Parts; ++part) {
      const int column = first_column + part * kPart + thread % 16 * 4;
      Vector<float, 4> values;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        float value = sums.value[i][part * 4 + j];
        if (p.bias != nullptr && column + j < p.n) value += p.bias[column + j];
        values.element[j] = p.relu && !(value > 0.0f || isnan(value)) ? 0.0f : value;
      }
      float* to = c + std::int64_t{row} * p.n + column;
      if (p.c_vectors && column < p.n) {
        store_vector(to, values);
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          if (column + j < p.n) to[j] = values.element[j];
        }
      }
    }
  }
}

/// blockIdx.x is the tile, .y the range of K, .z the matrix of the batch.
template <int Parts, bool DepthRowsA, bool DepthRowsB, bool Vectors>
__global__ void __launch_bounds__(kThreads, 2) gemm_f32_kernel(GemmF32Parameters p) {
  using OperandA = OperandF32<Parts, DepthRowsA, Vectors>;
  using OperandB = OperandF32<Parts, DepthRowsB, Vectors>;
  constexpr int kDepth = OperandA::kDepth;
  constexpr int kPitch = OperandA::kPitch;
  constexpr int kCopy = kDepth * kPitch;
  auto* shared = dynamic_shared<float>();  // [2 copies][a, b][kDepth][kPitch]
  const int columns = (p.n + OperandB::kExtent - 1) / OperandB::kExtent;
  const int first_row = static_cast<int>(blockIdx.x) / columns * OperandA::kExtent;
  const int first_column = static_cast<int>(blockIdx.x) % columns * OperandB::kExtent;
  const std::int64_t begin = std::int64_t{blockIdx.y} * p.depths * kGemmSimtDepth;
  const std::int64_t end = min(begin + std::int64_t{p.depths} * kGemmSimtDepth, std::int64_t{p.k});
  OperandA a(p.a + blockIdx.z * p.a_matrix, p.m, p.k, first_row, static_cast<int>(begin), static_cast<int>(end));
  OperandB b(p.b + blockIdx.z * p.b_matrix, p.n, p.k, first_column, static_cast<int>(begin), static_cast<int>(end));
  SumsF32<Parts> sums{};
  const int depths = begin < end ? static_cast<int>((end - begin + kDepth - 1) / kDepth) : 0;
  const auto keep = [&](int depth) {
    float* copy = shared + depth % 2 * (2 * kCopy);
    a.store(copy);
    b.store(copy + kCopy);
  };
  if (depths > 0) {
    a.read();
    b.read();
    keep(0);
  }
  __syncthreads();
  for (int depth = 0; depth < depths; ++depth) {
    if (depth + 1 < depths) {
      a.read();
      b.read();
    }
    const float* copy = shared + depth % 2 * (2 * kCopy);
    multiply_depth<Parts>(copy, copy + kCopy, kPitch, sums);
    if (depth + 1 < depths) keep(depth + 1);
    __syncthreads();
  }
  store_sums<Parts>(sums, p, p.c + blockIdx.y * p.c_split + blockIdx.z * p.c_matrix, first_row, first_column);
}

template <int Parts, bool Vectors>
auto kernel_for(bool transpose_a, bool transpose_b) {
  if (transpose_a)
    return transpose_b ? gemm_f32_kernel<Parts, false, true, Vectors> : gemm_f32_kernel<Parts, false, false, Vectors>;
  return transpose_b ? gemm_f32_kernel<Parts, true, true, Vectors> : gemm_f32_kernel<Parts, true, false, Vectors>;
}

}  // namespace

void gemm_f32(const Stream& stream, const GemmProblem& problem, const TilePlan& plan, const GemmArguments& arguments) {
  constexpr std::int64_t kMostMatrices = 65535;
  const bool vectors = (problem.transpose_a ? problem.m : problem.k) % 4 == 0 &&
                       (problem.transpose_b ? problem.k : problem.n) % 4 == 0 &&
                       aligned_to_16(arguments.a, arguments.b);
  const bool large = vectors && plan.tile.m == 128;
  auto* const kernel = large     ? kernel_for<2, true>(problem.transpose_a, problem.transpose_b)
                       : vectors ? kernel_for<1, true>(problem.transpose_a, problem.transpose_b)
                                 : kernel_for<1, false>(problem.transpose_a, problem.transpose_b);
  const int tile = large ? 128 : 64;
  const std::int64_t c_matrix = problem.m * problem.n;
  for (std::int64_t first = 0; first < problem.batch; first += kMostMatrices) {
    const std::int64_t matrices = problem.batch - first < kMostMatrices ? problem.batch - first : kMostMatrices;
    float* c = static_cast<float*>(arguments.c) + first * c_matrix;
    const GemmF32Parameters p{.a = static_cast<const float*>(arguments.a) + first * problem.m * problem.k,
                              .b = static_cast<const float*>(arguments.b) + first * problem.k * problem.n,
                              .bias = arguments.bias,
                              .c = c,
                              .a_matrix = problem.m * problem.k,
                              .b_matrix = problem.k * problem.n,
                              .c_matrix = c_matrix,
                              .c_split = c_matrix * problem.batch,
                              .m = static_cast<int>(problem.m),
                              .n = static_cast<int>(problem.n),
                              .k = static_cast<int>(problem.k),
                              .depths = plan.depths_a_split,
                              .relu = problem.relu,
                              .c_vectors = problem.n % 4 == 0 && aligned_to_16(c)};
    const std::int64_t tiles = divide_up(problem.m, tile) * divide_up(problem.n, tile);
    launch(stream,
           {.kernel = "gemm_f32",
            .grid = {static_cast<unsigned>(tiles), static_cast<unsigned>(plan.splits), static_cast<unsigned>(matrices)},
            .block = kThreads,
            .shared_bytes = sizeof(float) * 4 * static_cast<std::size_t>(depth_of(tile / kPart) * (tile + 4))},
           kernel, p);
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
