// Dropout (Srivastava et al. 2014): y[i] = x[i] / (1 - p) where uniform(step, i) >= p, else 0. The mask is a function
// of key, step and index: backward computes it again, nothing is saved. The step is read from device memory, so that a
// captured graph draws anew at each replay.
//
// Threads: each has one 16-byte vector of x, 4 elements of f32 or 8 of bf16, that is one or two whole Philox blocks of
// four words; neighbouring threads neighbouring ones.
// Bound: memory, 2 count * size bytes, and close behind it integer arithmetic: some 80 instructions for a Philox block.

#include "cuda/kernels/dropout.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/philox.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 2;
constexpr int kWords = 4;  // of a Philox block

/// Elements first .. first + kWords - 1 of the array, `first` a multiple of kWords.
template <class T>
__device__ __forceinline__ void drop(const DropoutMask& by, std::uint64_t step, std::int64_t first, T* elements) {
  const uint4 words = philox_words(by.key, step, static_cast<std::uint64_t>(first) / kWords);
  const unsigned word[kWords] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int k = 0; k < kWords; ++k) {
    const bool kept = uniform_float(word[k]) >= by.threshold;
    elements[k] = from_float<T>(kept ? to_float(elements[k]) * by.keep_scale : 0.0f);
  }
}

template <bool kAligned, class T>
__global__ void dropout_kernel(const T* x, DropoutMask mask, T* y, std::int64_t count) {
  constexpr int kElements = kVectorElements<T>;
  const auto step = static_cast<std::uint64_t>(*mask.step);
  for_each_unrolled<kUnroll>(
      divide_up(count, kElements),
      [&](std::int64_t i) {
        const std::int64_t first = i * kElements;
        if (kAligned && first + kElements <= count) return load_vector<kElements>(x + first);
        Vector<T, kElements> vector{};
        for (int k = 0; k < kElements; ++k) {
          if (first + k < count) vector.element[k] = x[first + k];
        }
        return vector;
      },
      [&](std::int64_t i, Vector<T, kElements> vector) {
        const std::int64_t first = i * kElements;
#pragma unroll
        for (int k = 0; k < kElements; k += kWords) drop(mask, step, first + k, vector.element + k);
        if (kAligned && first + kElements <= count) return store_vector(y + first, vector);
        for (int k = 0; k < kElements; ++k) {
          if (first + k < count) y[first + k] = vector.element[k];
        }
      });
}

}  // namespace

void dropout(const Stream& stream, DType dtype, const void* x, const DropoutMask& mask, void* y, std::int64_t count) {
  with_float_type(dtype, [&](auto type) {
    using T = decltype(type);
    const auto* from = static_cast<const T*>(x);
    auto* to = static_cast<T*>(y);
    launch(stream,
           {.kernel = "dropout",
            .grid = unrolled_grid(divide_up(count, kVectorElements<T>), kUnroll),
            .block = kBlockThreads},
           aligned_to_16(from, to) ? dropout_kernel<true, T> : dropout_kernel<false, T>, from, mask, to, count);
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
