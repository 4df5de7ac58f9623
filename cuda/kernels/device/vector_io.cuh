#pragma once

#include <cstdint>
#include <cstring>

#include "cuda/device.cuh"
#include "cuda/kernels/device/bf16.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// N elements as one aligned memory access of N * sizeof(T) bytes, at most 16.
template <class T, int N>
struct alignas(sizeof(T) * N) Vector {
  static_assert(sizeof(T) * N <= 16);
  T element[N];
};

/// How many elements of T one 16-byte access holds.
template <class T>
inline constexpr int kVectorElements = 16 / static_cast<int>(sizeof(T));

template <int N, class T>
__device__ __forceinline__ Vector<T, N> load_vector(const T* address) {
  return *reinterpret_cast<const Vector<T, N>*>(address);
}
template <int N, class T>
__device__ __forceinline__ void store_vector(T* address, const Vector<T, N>& vector) {
  *reinterpret_cast<Vector<T, N>*>(address) = vector;
}

/// N elements as floats: from[0 .. N - 1] by accesses of at most 16 bytes. The address is a multiple of the access.
template <int N, class T>
__device__ __forceinline__ void load_floats(const T* from, float (&to)[N]) {
  constexpr int kAccess = N < kVectorElements<T> ? N : kVectorElements<T>;
  static_assert(N % kAccess == 0);
#pragma unroll
  for (int i = 0; i < N; i += kAccess) {
    const Vector<T, kAccess> vector = load_vector<kAccess>(from + i);
#pragma unroll
    for (int k = 0; k < kAccess; ++k) to[i + k] = to_float(vector.element[k]);
  }
}
/// The inverse: N floats, rounded to T; bf16 in pairs, by one instruction each.
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const float (&from)[N]) {
  constexpr int kAccess = N < kVectorElements<T> ? N : kVectorElements<T>;
  static_assert(N % kAccess == 0);
#pragma unroll
  for (int i = 0; i < N; i += kAccess) {
    Vector<T, kAccess> vector;
    if constexpr (sizeof(T) == 2 && kAccess % 2 == 0) {
      unsigned pairs[kAccess / 2];
#pragma unroll
      for (int k = 0; k < kAccess; k += 2) pairs[k / 2] = pack_bf16(from[i + k], from[i + k + 1]);
      memcpy(&vector, pairs, sizeof(vector));
    } else {
#pragma unroll
      for (int k = 0; k < kAccess; ++k) vector.element[k] = from_float<T>(from[i + k]);
    }
    store_vector(to + i, vector);
  }
}

/// True iff every address is a multiple of 16: then rows of 16-byte accesses may be used. A null pointer is.
template <class... T>
bool aligned_to_16(const T*... address) {
  return ((reinterpret_cast<std::uintptr_t>(address) % 16 == 0) && ...);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
