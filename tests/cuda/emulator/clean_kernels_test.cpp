// Kernels that do nothing wrong, in the ways that come near to it: no build may report them, in any thread order.
#include "cuda/kernels/device/async_copy.cuh"
#include "cuda/kernels/device/bf16.cuh"
#include "cuda/kernels/device/reduce.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

constexpr unsigned kThreads = 64;

template <class T, class... Parameters>
std::vector<T> expect_clean(const LaunchConfig& config, std::size_t count, void (*kernel)(T*, Parameters...),
                            std::type_identity_t<Parameters>... arguments) {
  std::vector<T> result;
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<T> data(stream, std::vector<T>(count));
    EXPECT_EQ(fault_of([&] { launch(stream, config, kernel, data.data(), arguments...); }), "");
    result = data.values(stream);
  }
  return result;
}

/// A warp's sum through shared memory, with every __syncwarp that it needs.
__global__ void warp_synchronous_kernel(float* out) {
  __shared__ float partial[kThreads];
  const unsigned thread = threadIdx.x;
  float value = static_cast<float>(thread);
  for (unsigned half = 16; half > 0; half /= 2) {
    partial[thread] = value;
    __syncwarp();
    value += partial[thread ^ half];
    __syncwarp();
  }
  out[thread] = value;
}
TEST(CleanKernel, WarpSynchronousReduction) {
  const auto sums =
      expect_clean<float>({.kernel = "k", .grid = 1, .block = kThreads}, kThreads, warp_synchronous_kernel);
  EXPECT_EQ(sums[0], 496.0f);
  EXPECT_EQ(sums[63], 1520.0f);
}

__global__ void shuffles_order_kernel(float* out) {
  __shared__ float values[32];
  values[threadIdx.x] = 1.0f;
  const float other = __shfl_xor_sync(kAllLanes, 2.0f, 1);
  out[threadIdx.x] = values[threadIdx.x ^ 1u] + other;
}
TEST(CleanKernel, WarpPrimitivesOrderTheirLanes) {
  const auto out = expect_clean<float>({.kernel = "k", .grid = 1, .block = 32}, 32, shuffles_order_kernel);
  EXPECT_EQ(out[31], 3.0f);
}

__global__ void count_kernel(int* counts, int* bins) {
  atomicAdd(counts, 1);
  atomicAdd(bins + threadIdx.x % 4, 1);
  atomicMax(counts + 1, static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x));
}
TEST(CleanKernel, AtomicsDoNotRaceWithEachOther) {
  const Stream stream = open_stream();
  DeviceArray<int> bins(stream, std::vector<int>(4));
  const auto counts = expect_clean<int>({.kernel = "k", .grid = 3, .block = kThreads}, 2, count_kernel, bins.data());
  EXPECT_EQ(counts, (std::vector<int>{192, 191}));
}

__global__ void halves_kernel(bf16* out) {
  __shared__ bf16 values[kThreads];
  values[threadIdx.x] = from_float<bf16>(static_cast<float>(threadIdx.x));
  __syncthreads();
  out[threadIdx.x] = values[kThreads - 1 - threadIdx.x];
}
TEST(CleanKernel, NeighbourThreadsWriteHalvesOfAWord) {
  const auto out = expect_clean<bf16>({.kernel = "k", .grid = 1, .block = kThreads}, kThreads, halves_kernel);
  EXPECT_EQ(to_float(out[0]), 63.0f);
}

__global__ void bytes_kernel(std::uint8_t* out) {
  __shared__ std::uint8_t values[kThreads];
  values[threadIdx.x] = static_cast<std::uint8_t>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = values[threadIdx.x ^ 1u];
}
TEST(CleanKernel, NeighbourThreadsWriteBytesOfAWord) {
  const auto out = expect_clean<std::uint8_t>({.kernel = "k", .grid = 1, .block = kThreads}, kThreads, bytes_kernel);
  EXPECT_EQ(out[8], 9);
}

__global__ void in_place_kernel(float* out) {
  const unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * 4;
  auto values = load_vector<4>(out + i);
  for (float& value : values.element) value += 1.0f;
  store_vector(out + i, values);
}
TEST(CleanKernel, EveryThreadInPlaceBySixteenBytes) {
  const auto out = expect_clean<float>({.kernel = "k", .grid = 2, .block = kThreads}, 512, in_place_kernel);
  EXPECT_EQ(out[511], 1.0f);
}

__global__ void reduce_kernel(float* out) {
  const float first = block_sum<kThreads>(static_cast<float>(threadIdx.x));
  const float second = block_sum<kThreads>(1.0f);
  if (threadIdx.x == 0) out[blockIdx.x] = first + second;
}
TEST(CleanKernel, BlockReductionsOneAfterAnother) {
  const auto out = expect_clean<float>({.kernel = "k", .grid = 2, .block = kThreads}, 2, reduce_kernel);
  EXPECT_EQ(out[1], 2080.0f);
}

/// Three stages in flight; each is read by other threads than those that copied it.
__global__ void stages_kernel(float* out, const float* from, int tiles) {
  auto* stages = dynamic_shared<float>();
  const auto thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(kThreads);
  const auto start = [&](int tile) {
    if (tile < tiles) copy_async<4>(stages + tile % 3 * threads + thread, from + tile * threads + thread, true);
    copy_async_commit();
  };
  start(0);
  start(1);
  for (int tile = 0; tile < tiles; ++tile) {
    copy_async_wait<1>();
    __syncthreads();
    start(tile + 2);
    out[tile * threads + thread] = read_async_shared(stages + tile % 3 * threads + threads - 1 - thread);
  }
  copy_async_wait<0>();
}
TEST(CleanKernel, PipelineOfThreeStages) {
  const Stream stream = open_stream();
  std::vector<float> x(7 * kThreads);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  DeviceArray<float> from(stream, x);
  const auto out = expect_clean<float>({.kernel = "k", .grid = 1, .block = kThreads, .shared_bytes = 3 * kThreads * 4},
                                       x.size(), stages_kernel, static_cast<const float*>(from.data()), 7);
  EXPECT_EQ(out[6 * kThreads], 447.0f);
}

}  // namespace

}  // namespace graft::cuda::testing
