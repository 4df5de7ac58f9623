#pragma once

#include "cuda/kernels/device/bf16.cuh"
#include "cuda/kernels/device/shared_tile.cuh"

// A warp's product by mma.sync (PTX ISA, "Matrix multiply-accumulate operation using mma instruction": the layouts of
// m16n8k16 for bf16 and of m16n8k8 for tf32). With g = lane / 4 and t = lane % 4, a lane holds
//   bf16  A: words (g, 2t) (g + 8, 2t) (g, 2t + 8) (g + 8, 2t + 8), each with its right neighbour; B: (2t, g) (2t + 8,
//   g)
//         with the neighbour below
//   tf32  A: (g, t) (g + 8, t) (g, t + 4) (g + 8, t + 4); B: (t, g) (t + 4, g)
// ldmatrix gives each lane just that from rows of 16 bytes; with .trans, from the transposed tile of 16-bit elements.
// There is no transposing ldmatrix of 32 bits: tf32 tiles with M or N along the row are read word by word.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Four 8 x 8 matrices of 16-bit elements; lane i names row i % 8 of matrix i / 8.
template <bool Transposed>
__device__ __forceinline__ void load_matrices(unsigned (&words)[4], const unsigned char* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (Transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(address)
                 : "memory");
  }
}

__device__ __forceinline__ unsigned rounded_to_tf32(unsigned word) {
  unsigned rounded;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(word)));
  return rounded;
}

template <class T>
__device__ __forceinline__ void mma_sync(float (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  if constexpr (sizeof(T) == 2) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

/// Fragments of a 16-element strip of one operand for one instruction's depth (two chunks). Words 0..3 are the four
/// quarters, each 8 elements by one chunk: `second` is the bit of the quarter's number that says "8 elements on", the
/// other bit says "one chunk deeper". For A, bit 0; for B, whose two halves are two instructions' operands, bit 1.
template <int ElementBit, class Tile>
__device__ __forceinline__ void load_fragment(unsigned (&words)[4], const Tile& tile, int first, int step) {
  using T = typename Tile::Element;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  constexpr int kDepthBit = 1 - ElementBit;
  if constexpr (Tile::kMajor == Major::k) {
    const int row = first + lane % 8 + (lane >> (3 + ElementBit) & 1) * 8;
    load_matrices<false>(words, tile.chunk(row, step * 2 + (lane >> (3 + kDepthBit) & 1)));
  } else if constexpr (sizeof(T) == 2) {
    const int k = step * 16 + lane % 8 + (lane >> (3 + kDepthBit) & 1) * 8;
    const int chunk = first / 8 + (lane >> (3 + ElementBit) & 1);
    load_matrices<true>(words, tile.chunk(chunk / kRowChunks * Tile::kDepth + k, chunk % kRowChunks));
  } else {
#pragma unroll
    for (int quarter = 0; quarter < 4; ++quarter) {
      const int mn = first + lane / 4 + (quarter >> ElementBit & 1) * 8;
      const int k = step * 8 + lane % 4 + (quarter >> kDepthBit & 1) * 4;
      words[quarter] = __float_as_uint(*tile.element(mn, k));
    }
  }
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (unsigned& word : words) word = rounded_to_tf32(word);
  }
}

/// The warp's tile of C (rows from `row`, columns from `column`) += A B. The fragments of the next step are on their
/// way while this step's are multiplied.
template <class TileA, class TileB, int StripsM, int StripsN>
__device__ __forceinline__ void mma_sync_tiles(const TileA& a, int row, const TileB& b, int column,
                                               float (&sums)[StripsM][StripsN][4]) {
  using T = typename TileA::Element;
  constexpr int kSteps = kRowChunks / 2;
  unsigned a_words[2][StripsM][4];
  unsigned b_words[2][StripsN / 2][4];
  const auto load = [&](int step) {
#pragma unroll
    for (int i = 0; i < StripsM; ++i) load_fragment<0>(a_words[step % 2][i], a, row + i * 16, step);
#pragma unroll
    for (int j = 0; j < StripsN / 2; ++j) load_fragment<1>(b_words[step % 2][j], b, column + j * 16, step);
  };
  load(0);
#pragma unroll
  for (int step = 0; step < kSteps; ++step) {
    if (step + 1 < kSteps) load(step + 1);
#pragma unroll
    for (int i = 0; i < StripsM; ++i) {
#pragma unroll
      for (int j = 0; j < StripsN; ++j) {
        const auto& pair = b_words[step % 2][j / 2];
        mma_sync<T>(sums[i][j], a_words[step % 2][i], pair[j % 2 * 2], pair[j % 2 * 2 + 1]);
      }
    }
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
