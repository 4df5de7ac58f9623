#pragma once

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// Operands of tensor cores in shared memory. Whatever the dtype, a tile is `kExtent` elements along M or N and 128
// bytes deep along K, and lies in rows of 128 bytes: eight chunks of 16, the unit of every copy and of ldmatrix. Chunk
// c of row r is stored at place c XOR f(r), so that the eight rows that are read together at one c fall into different
// banks. With f(r) = r % 8 this is the 128-byte swizzle that wgmma's and TMA's descriptors know too.

inline constexpr int kRowBytes = 128;
inline constexpr int kChunkBytes = 16;
inline constexpr int kRowChunks = kRowBytes / kChunkBytes;

/// Which index of an operand runs along a row.
enum class Major { k, mn };

/// Elements of T in a row, and the depth of every tile of T along K.
template <class T>
inline constexpr int kRowElements = kRowBytes / static_cast<int>(sizeof(T));
template <class T>
inline constexpr int kChunkElements = kChunkBytes / static_cast<int>(sizeof(T));

/// A view of one operand's tile. Major::k: row i is element i of M or N, its chunks are the depth. Major::mn: panels of
/// kRowElements<T> elements of M or N, each with one row for every step of depth; row p * depth + k is panel p at k.
template <class T, int Extent, Major Direction>
struct SharedTile {
  using Element = T;
  static constexpr int kExtent = Extent;
  static constexpr Major kMajor = Direction;
  static constexpr int kDepth = kRowElements<T>;
  static constexpr int kRows = Extent;  ///< Major::mn: (Extent / kRowElements) panels of kDepth rows, the same number
  static constexpr int kBytes = kRows * kRowBytes;
  static_assert(Direction == Major::k || Extent % kRowElements<T> == 0, "whole panels");

  unsigned char* data;  ///< a multiple of 128

  /// Byte offset of a chunk. f32 with M or N along the row is read word by word, by lanes in four rows and in two
  /// neighbouring chunks: pairs of chunks are what must not collide there.
  static __device__ __forceinline__ int offset(int row, int chunk) {
    constexpr bool kWordReads = Direction == Major::mn && sizeof(T) == 4;
    const int place = kWordReads ? chunk ^ ((row & 3) << 1) : chunk ^ (row & 7);
    return row * kRowBytes + place * kChunkBytes;
  }
  __device__ __forceinline__ unsigned char* chunk(int row, int chunk_index) const {
    return data + offset(row, chunk_index);
  }
  /// The element at `mn` along M or N and depth `k`.
  __device__ __forceinline__ const T* element(int mn, int k) const {
    const int row = Direction == Major::k ? mn : mn / kRowElements<T> * kDepth + k;
    const int column = Direction == Major::k ? k : mn % kRowElements<T>;
    return reinterpret_cast<const T*>(chunk(row, column / kChunkElements<T>)) + column % kChunkElements<T>;
  }
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
