#pragma once

#include "cuda/device.cuh"
#include "cuda/kernels/device/bf16.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/kernels/device/warp.cuh"

// A tile of a matrix product on CUDA cores: sum[m][n] = sum over k of a[m][k] * b[k][n], in f32. The operands come to
// shared memory kTileK steps of k at a time, k outermost; what is loaded for the next steps waits in registers while
// the present ones are multiplied, and goes into a second buffer, so that one barrier a turn is enough.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

inline constexpr int kTileK = 8;
/// Rows of shared memory are this much longer than the tile: stores of a warp that holds 16 rows and 2 x 4 or 4 rows
/// and 8 steps of k then meet 32 different banks.
inline constexpr int kTilePad = 4;

/// A tile of kRows x kColumns results, kThreadRows x kThreadColumns of them in each thread's registers: quads of
/// neighbours, so that shared memory is read 16 bytes at a time. A warp is 8 threads along m by 4 along n.
template <int kRows, int kColumns, int kThreadRows, int kThreadColumns>
struct SimtTile {
  static constexpr int kM = kRows;
  static constexpr int kN = kColumns;
  static constexpr int kThreadM = kThreadRows;
  static constexpr int kThreadN = kThreadColumns;
  static constexpr int kThreads = (kM / kThreadM) * (kN / kThreadN);
  /// Blocks that a multiprocessor shall hold at least: two of the large tile where elements are loaded as vectors, 128
  /// registers a thread; 0: the compiler's choice.
  static constexpr int blocks(int vector) { return vector > 1 && kThreads >= 256 ? 2 : 0; }
  static_assert(kThreadM % 4 == 0 && kThreadN % 4 == 0 && kM / kThreadM % 8 == 0 && kN / kThreadN % 4 == 0);

  struct Shared {
    alignas(16) float a[kTileK][kM + kTilePad];
    alignas(16) float b[kTileK][kN + kTilePad];
  };

  /// The tile's row and column of this thread's element (i, j).
  __device__ __forceinline__ static int row(int i) {
    const int thread = warp_index() / kWarpsN * 8 + lane_index() / 4;
    return i / 4 * (kM / (kThreadM / 4)) + thread * 4 + i % 4;
  }
  __device__ __forceinline__ static int column(int j) {
    const int thread = warp_index() % kWarpsN * 4 + lane_index() % 4;
    return j / 4 * (kN / (kThreadN / 4)) + thread * 4 + j % 4;
  }

 private:
  static constexpr int kWarpsN = kN / kThreadN / 4;
};

/// One thread's part of the next kTileK x kRows elements of an operand whose memory runs along k: vectors of kV
/// elements of k in one row, turned on their way into shared memory.
template <class T, int kV, int kRows, int kThreads>
struct FragmentAlongK {
  static constexpr int kVectorsRow = kTileK / kV;
  static constexpr int kVectors = kVectorsRow * kRows;
  static constexpr int kPasses = (kVectors + kThreads - 1) / kThreads;
  static_assert(kThreads % kVectorsRow == 0);
  Vector<T, kV> vector[kPasses];

  __device__ __forceinline__ static bool holds(int pass) {
    return kVectors % kThreads == 0 || pass * kThreads + static_cast<int>(threadIdx.x) < kVectors;
  }
  __device__ __forceinline__ static int row(int pass) {
    return (pass * kThreads + static_cast<int>(threadIdx.x)) / kVectorsRow;
  }
  /// The same in all passes.
  __device__ __forceinline__ static int k() { return static_cast<int>(threadIdx.x) % kVectorsRow * kV; }

  __device__ __forceinline__ void store(float (&to)[kTileK][kRows + kTilePad]) const {
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      if (!holds(pass)) continue;
#pragma unroll
      for (int v = 0; v < kV; ++v) to[k() + v][row(pass)] = to_float(vector[pass].element[v]);
    }
  }
};

/// The same of an operand whose memory runs along its rows: vectors of kV rows at one step of k.
template <class T, int kV, int kRows, int kThreads>
struct FragmentAlongRows {
  static constexpr int kVectorsStep = kRows / kV;
  static constexpr int kVectors = kVectorsStep * kTileK;
  static constexpr int kPasses = (kVectors + kThreads - 1) / kThreads;
  Vector<T, kV> vector[kPasses];

  __device__ __forceinline__ static bool holds(int pass) {
    return kVectors % kThreads == 0 || pass * kThreads + static_cast<int>(threadIdx.x) < kVectors;
  }
  __device__ __forceinline__ static int row(int pass) {
    return (pass * kThreads + static_cast<int>(threadIdx.x)) % kVectorsStep * kV;
  }
  __device__ __forceinline__ static int k(int pass) {
    return (pass * kThreads + static_cast<int>(threadIdx.x)) / kVectorsStep;
  }

  __device__ __forceinline__ void store(float (&to)[kTileK][kRows + kTilePad]) const {
#pragma unroll
    for (int pass = 0; pass < kPasses; ++pass) {
      if (!holds(pass)) continue;
      Vector<float, kV> values;
#pragma unroll
      for (int v = 0; v < kV; ++v) values.element[v] = to_float(vector[pass].element[v]);
      store_vector(&to[k(pass)][row(pass)], values);
    }
  }
};

/// kTileK steps of k, taken from shared memory.
template <class Tile>
__device__ __forceinline__ void multiply_add(const typename Tile::Shared& shared,
                                             float (&sum)[Tile::kThreadM][Tile::kThreadN]) {
#pragma unroll
  for (int k = 0; k < kTileK; ++k) {
    Vector<float, 4> a[Tile::kThreadM / 4];
    Vector<float, 4> b[Tile::kThreadN / 4];
#pragma unroll
    for (int i = 0; i < Tile::kThreadM; i += 4) a[i / 4] = load_vector<4>(&shared.a[k][Tile::row(i)]);
#pragma unroll
    for (int j = 0; j < Tile::kThreadN; j += 4) b[j / 4] = load_vector<4>(&shared.b[k][Tile::column(j)]);
#pragma unroll
    for (int i = 0; i < Tile::kThreadM; ++i) {
#pragma unroll
      for (int j = 0; j < Tile::kThreadN; ++j)
        sum[i][j] = fmaf(a[i / 4].element[i % 4], b[j / 4].element[j % 4], sum[i][j]);
    }
  }
}

/// Adds `turns` times kTileK steps to `sum`. A source has load(), which brings the next steps into its registers, zeros
/// past the end; store(rows of shared memory); and prepare(), which readies in shared memory of its own what load()
/// will need after the next barrier. All threads of the block call it, with the same `turns`.
template <class Tile, class SourceA, class SourceB>
__device__ __forceinline__ void multiply_tiles(SourceA& a, SourceB& b, int turns,
                                               float (&sum)[Tile::kThreadM][Tile::kThreadN]) {
  __shared__ typename Tile::Shared buffer[2];
  a.prepare();
  b.prepare();
  __syncthreads();
  if (turns == 0) return;
  a.load();
  b.load();
  a.prepare();
  b.prepare();
  a.store(buffer[0].a);
  b.store(buffer[0].b);
  __syncthreads();
  for (int turn = 1; turn < turns; ++turn) {
    a.load();
    b.load();
    a.prepare();
    b.prepare();
    multiply_add<Tile>(buffer[(turn - 1) % 2], sum);
    a.store(buffer[turn % 2].a);
    b.store(buffer[turn % 2].b);
    __syncthreads();
  }
  multiply_add<Tile>(buffer[(turns - 1) % 2], sum);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
