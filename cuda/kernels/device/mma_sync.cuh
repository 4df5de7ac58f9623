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

/// Four 8 x 8 matrices of 16-bit elements; lane i names row i % 8 of matrix i / 8, by its address in shared memory.
template <bool Transposed>
__device__ __forceinline__ void load_matrices(unsigned (&words)[4], unsigned row) {
  if constexpr (Transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(row)
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

/// How a warp reads its elements of one operand from a tile: in strips of 16 elements, two chunks deep a step. The four
/// words of a strip and step are four quarters, 8 elements by one chunk each, whose numbers' bits say "8 elements on"
/// (bit ElementBit: 0 for A, 1 for B, whose halves are two instructions' operands) and "one chunk deeper". By the
/// swizzle a lane meets four places, kept here; all else about an address is known to the compiler.
template <class Tile, int ElementBit>
class FragmentReader {
 public:
  using T = typename Tile::Element;

  /// From element `first`, a multiple of 32; of 64 where there are four strips.
  __device__ __forceinline__ FragmentReader(const Tile& tile, int first) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int elements_on = lane >> (3 + ElementBit) & 1;
    const int deeper = lane >> (4 - ElementBit) & 1;
    const auto base = static_cast<unsigned>(__cvta_generic_to_shared(tile.data));
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      int offset = 0;
      if constexpr (Tile::kMajor == Major::k) {  // i is the step
        offset = Tile::offset(first + lane % 8 + elements_on * 8, i * 2 | deeper);
      } else if constexpr (sizeof(T) == 2) {  // i is the strip
        const int chunk = (first / 8 % kRowChunks | elements_on) ^ i * 2;
        offset = Tile::offset(first / kRowElements<T> * Tile::kDepth + lane % 8 + deeper * 8, chunk);
      } else {  // i is the number of 8 elements within a panel, every lane has words of its own
        const int chunk = lane / 16 | i * 2;
        offset = Tile::offset(first / kRowElements<T> * Tile::kDepth + lane % 4, chunk) + lane / 4 % 4 * 4;
      }
      places_[i] = base + static_cast<unsigned>(offset);
    }
  }

  __device__ __forceinline__ void read(unsigned (&words)[4], int strip, int step) const {
    if constexpr (Tile::kMajor == Major::k) {
      load_matrices<false>(words, places_[step] + static_cast<unsigned>(strip * 16 * kRowBytes));
    } else if constexpr (sizeof(T) == 2) {
      load_matrices<true>(words, places_[strip] + static_cast<unsigned>(step * 16 * kRowBytes));
    } else {
#pragma unroll
      for (int quarter = 0; quarter < 4; ++quarter) {
        const int eighth = strip * 2 + (quarter >> ElementBit & 1);
        const int row = eighth / 4 * Tile::kDepth + step * 8 + (quarter >> (1 - ElementBit) & 1) * 4;
        asm volatile("ld.shared.b32 %0, [%1];"
                     : "=r"(words[quarter])
                     : "r"(places_[eighth % 4] + static_cast<unsigned>(row * kRowBytes))
                     : "memory");
      }
    }
    if constexpr (sizeof(T) == 4) {
#pragma unroll
      for (unsigned& word : words) word = rounded_to_tf32(word);
    }
  }

 private:
  unsigned places_[4];
};

/// The warp's tile of C (rows from `row`, columns from `column`) += A B. The fragments of the next step are on their
/// way while this step's are multiplied.
template <class TileA, class TileB, int StripsM, int StripsN>
__device__ __forceinline__ void mma_sync_tiles(const TileA& a, int row, const TileB& b, int column,
                                               float (&sums)[StripsM][StripsN][4]) {
  using T = typename TileA::Element;
  constexpr int kSteps = kRowChunks / 2;
  static_assert(StripsM % 2 == 0 && StripsN % 4 == 0 && StripsM <= 4 && StripsN <= 8, "warps of 32 or 64 elements");
  const FragmentReader<TileA, 0> read_a(a, row);
  const FragmentReader<TileB, 1> read_b(b, column);
  unsigned a_words[2][StripsM][4];
  unsigned b_words[2][StripsN / 2][4];
  const auto load = [&](int step) {
#pragma unroll
    for (int i = 0; i < StripsM; ++i) read_a.read(a_words[step % 2][i], i, step);
#pragma unroll
    for (int j = 0; j < StripsN / 2; ++j) read_b.read(b_words[step % 2][j], j, step);
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
