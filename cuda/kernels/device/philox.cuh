#pragma once

#include <cstdint>

#include "cuda/device.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Philox4x32-10 as in engine/base/philox.h, to the bit: RandomStream::words(step, index) of a stream with this key.
__device__ __forceinline__ uint4 philox_words(std::uint64_t key, std::uint64_t step, std::uint64_t index) {
  uint4 counter = make_uint4(static_cast<unsigned>(index), static_cast<unsigned>(index >> 32),
                             static_cast<unsigned>(step), static_cast<unsigned>(step >> 32));
  auto k0 = static_cast<unsigned>(key);
  auto k1 = static_cast<unsigned>(key >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned high0 = __umulhi(0xD2511F53u, counter.x);
    const unsigned high1 = __umulhi(0xCD9E8D57u, counter.z);
    counter =
        make_uint4(high1 ^ counter.y ^ k0, 0xCD9E8D57u * counter.z, high0 ^ counter.w ^ k1, 0xD2511F53u * counter.x);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// Uniform in [0, 1): the upper 24 bits of a word.
__device__ __forceinline__ float uniform_float(unsigned word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
