// y[i] = value, over elements of 1, 2, 4 or 8 bytes whose bits the host has worked out.
//
// Threads: each stores four 16-byte vectors, neighbouring threads neighbouring ones; element by element where y does
// not start at a multiple of 16 bytes.
// Bound: memory; count * size bytes.

#include "cuda/kernels/fill.h"

#include <bit>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kUnroll = 4;

template <int N, class Bits>
__global__ void fill_kernel(Bits bits, Bits* y, std::int64_t count) {
  Vector<Bits, N> vector;
#pragma unroll
  for (Bits& element : vector.element) element = bits;
  for_each_unrolled<kUnroll>(
      count / N, [](std::int64_t) { return 0; }, [&](std::int64_t i, int) { store_vector(y + i * N, vector); });
  for_tail(count, N, [&](std::int64_t i) { y[i] = bits; });
}

template <class Bits>
void fill_bits(const Stream& stream, Bits bits, void* y, std::int64_t count) {
  constexpr int kElements = kVectorElements<Bits>;
  auto* to = static_cast<Bits*>(y);
  const bool aligned = aligned_to_16(to);
  launch(stream,
         {.kernel = "fill",
          .grid = unrolled_grid(divide_up(count, aligned ? kElements : 1), kUnroll),
          .block = kBlockThreads},
         aligned ? fill_kernel<kElements, Bits> : fill_kernel<1, Bits>, bits, to, count);
}

}  // namespace

void fill(const Stream& stream, DType dtype, double value, void* y, std::int64_t count) {
  switch (dtype) {
    case DType::f32:
      return fill_bits(stream, std::bit_cast<std::uint32_t>(static_cast<float>(value)), y, count);
    case DType::bf16:
      return fill_bits(stream, bfloat16(static_cast<float>(value)).bits, y, count);
    case DType::f64:
      return fill_bits(stream, std::bit_cast<std::uint64_t>(value), y, count);
    case DType::i64:
      return fill_bits(stream, static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), y, count);
    case DType::i32:
      return fill_bits(stream, static_cast<std::uint32_t>(static_cast<std::int32_t>(value)), y, count);
    case DType::u8:
      return fill_bits(stream, static_cast<std::uint8_t>(value), y, count);
    case DType::f16:  // occurs in files only: callers have refused it
      break;
  }
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
