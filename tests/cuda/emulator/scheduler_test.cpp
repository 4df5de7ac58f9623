#include <algorithm>
#include <numeric>
#include <thread>

#include "cuda/kernels/device/reduce.cuh"
#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

/// y[block] = the sum of the block's part of x, by a tree in dynamic shared memory.
__global__ void tree_sum_kernel(const float* x, float* y) {
  auto* partial = dynamic_shared<float>();
  const unsigned thread = threadIdx.x;
  partial[thread] = x[blockIdx.x * blockDim.x + thread];
  __syncthreads();
  for (unsigned stride = blockDim.x / 2; stride > 0; stride /= 2) {
    if (thread < stride) partial[thread] += partial[thread + stride];
    __syncthreads();
  }
  if (thread == 0) y[blockIdx.x] = partial[0];
}

/// Numbers whose sum depends on the order of adding them.
std::vector<float> uneven(std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = 1.0f / static_cast<float>(i * i % 1009 + 1);
  return values;
}

TEST(Scheduler, TreeOfBarriersGivesTheSameBitsInEveryThreadOrder) {
  constexpr std::size_t kBlocks = 7;
  constexpr std::size_t kThreads = 256;
  const std::vector<float> x = uneven(kBlocks * kThreads);
  std::vector<std::vector<float>> results;
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<float> from(stream, x);
    DeviceArray<float> to(kBlocks);
    launch(stream, {.kernel = "tree_sum", .grid = kBlocks, .block = kThreads, .shared_bytes = kThreads * sizeof(float)},
           tree_sum_kernel, from.data(), to.data());
    results.push_back(to.values(stream));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  for (std::size_t block = 0; block < kBlocks; ++block) {
    const auto begin = x.begin() + static_cast<std::ptrdiff_t>(block * kThreads);
    EXPECT_NEAR(results[0][block], std::accumulate(begin, begin + kThreads, 0.0), 1e-4);
  }
}

/// What each primitive gives thread `lane`, whose value is 10 * lane + 1.
struct WarpResults {
  int shuffled, exchanged, up, down, any, all;
  unsigned ballot;
};
__global__ void warp_kernel(WarpResults* results) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int value = 10 * lane + 1;
  results[threadIdx.x] = {.shuffled = __shfl_sync(kAllLanes, value, 31 - lane),
                          .exchanged = __shfl_xor_sync(kAllLanes, value, 5),
                          .up = __shfl_up_sync(kAllLanes, value, 3),
                          .down = __shfl_down_sync(kAllLanes, value, 3),
                          .any = __any_sync(kAllLanes, lane == 9),
                          .all = __all_sync(kAllLanes, lane != 9),
                          .ballot = __ballot_sync(kAllLanes, lane % 3 == 0)};
}

TEST(Scheduler, WarpPrimitivesGiveWhatCudaSays) {
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<WarpResults> to(64);
    launch(stream, {.kernel = "warp", .grid = 1, .block = 64}, warp_kernel, to.data());
    int thread = 0;
    for (const WarpResults& r : to.values(stream)) {
      const int lane = thread++ % 32;
      EXPECT_EQ(r.shuffled, 10 * (31 - lane) + 1);
      EXPECT_EQ(r.exchanged, 10 * (lane ^ 5) + 1);
      EXPECT_EQ(r.up, 10 * (lane < 3 ? lane : lane - 3) + 1);
      EXPECT_EQ(r.down, 10 * (lane > 28 ? lane : lane + 3) + 1);
      EXPECT_EQ(r.any, 1);
      EXPECT_EQ(r.all, 0);
      EXPECT_EQ(r.ballot, 0x49249249u);
    }
  }
}

/// A number for each thread of the grid, from all its built-in variables.
__global__ void position_kernel(unsigned* out) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += block * 1000 + thread;
}

TEST(Scheduler, EveryThreadOfEveryBlockRunsOnceInEveryOrder) {
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    constexpr unsigned kBlocks = 3 * 4 * 5;
    constexpr unsigned kThreads = 8 * 4 * 3;
    DeviceArray<unsigned> to(stream, std::vector<unsigned>(kBlocks * kThreads));
    launch(stream, {.kernel = "position", .grid = {3, 4, 5}, .block = {8, 4, 3}}, position_kernel, to.data());
    const std::vector<unsigned> values = to.values(stream);
    for (unsigned i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], i / kThreads * 1000 + i % kThreads);
  }
}

/// Writes down when each thread came, by an atomic.
__global__ void turn_kernel(unsigned* turns, unsigned* next) {
  turns[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(next, 1);
}

std::vector<unsigned> turns_of(const emulator::ThreadOrder& order) {
  const Stream stream = open_stream(order);
  DeviceArray<unsigned> turns(4 * 64);
  DeviceArray<unsigned> next(stream, {0});
  launch(stream, {.kernel = "turn", .grid = 4, .block = 64}, turn_kernel, turns.data(), next.data());
  return turns.values(stream);
}

TEST(Scheduler, OrdersAreWhatTheirNamesSay) {
  using Kind = emulator::ThreadOrder::Kind;
  std::vector<unsigned> expected(4 * 64);
  std::iota(expected.begin(), expected.end(), 0u);
  EXPECT_EQ(turns_of({Kind::ascending}), expected);
  std::reverse(expected.begin(), expected.end());
  EXPECT_EQ(turns_of({Kind::descending}), expected);
  const std::vector<unsigned> random = turns_of({Kind::random, 7});
  EXPECT_EQ(random, turns_of({Kind::random, 7}));
  EXPECT_NE(random, turns_of({Kind::random, 8}));
  std::vector<unsigned> sorted = random;
  std::sort(sorted.begin(), sorted.end());
  std::reverse(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, expected);
}

/// Shared memory that nobody wrote, dynamic, and what the block before left there.
__global__ void unwritten_kernel(unsigned* out) {
  auto* words = dynamic_shared<unsigned>();
  out[blockIdx.x] = words[7];
  __syncwarp();
  words[threadIdx.x] = 1;
}

TEST(Scheduler, DynamicSharedMemoryIsNanWhenABlockBegins) {
  if (emulator::kChecked) GTEST_SKIP() << "the checked build reports the read";
  const Stream stream = open_stream();
  DeviceArray<unsigned> to(2);
  launch(stream, {.kernel = "unwritten", .grid = 2, .block = 32, .shared_bytes = 128}, unwritten_kernel, to.data());
  EXPECT_EQ(to.values(stream), (std::vector<unsigned>{0xffffffffu, 0xffffffffu}));
}

/// Static shared memory of two kernels' instances and of a device function.
template <class T>
__device__ T reversed(T value) {
  __shared__ T values[96];
  values[threadIdx.x] = value;
  __syncthreads();
  const T other = values[95 - threadIdx.x];
  __syncthreads();
  return other;
}
__global__ void reverse_kernel(const float* x, double* y) {
  const float once = reversed(x[threadIdx.x]);
  y[threadIdx.x] = reversed(static_cast<double>(once)) + static_cast<double>(once);
}

TEST(Scheduler, StaticSharedMemoryIsTheBlocks) {
  std::vector<float> x(96);
  std::iota(x.begin(), x.end(), 0.0f);
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<float> from(stream, x);
    DeviceArray<double> to(96);
    launch(stream, {.kernel = "reverse", .grid = 1, .block = 96}, reverse_kernel, from.data(), to.data());
    EXPECT_EQ(to.values(stream), std::vector<double>(96, 95.0));
  }
}

TEST(Scheduler, BlocksOf1024ThreadsAndAllTheSharedMemoryOfABlockRun) {
  const Stream stream = open_stream();
  DeviceArray<float> from(stream, std::vector<float>(1024, 0.5f));
  DeviceArray<float> to(1);
  launch(stream, {.kernel = "tree_sum", .grid = 1, .block = 1024, .shared_bytes = std::size_t{227} << 10},
         tree_sum_kernel, from.data(), to.data());
  EXPECT_EQ(to.values(stream)[0], 512.0f);
}

TEST(Scheduler, TwoHostThreadsRunKernelsOfTheirOwn) {
  const auto run = [](float value, float* result) {
    const Stream stream = open_stream();
    for (int i = 0; i < 20; ++i) {
      DeviceArray<float> from(stream, std::vector<float>(256, value));
      DeviceArray<float> to(1);
      launch(stream, {.kernel = "tree_sum", .grid = 1, .block = 256, .shared_bytes = 1024}, tree_sum_kernel,
             from.data(), to.data());
      *result = to.values(stream)[0];
    }
  };
  float first = 0;
  float second = 0;
  std::thread other([&] { run(2.0f, &second); });
  run(1.0f, &first);
  other.join();
  EXPECT_EQ(first, 256.0f);
  EXPECT_EQ(second, 512.0f);
}

__global__ void nothing_kernel() {}

TEST(Scheduler, NothingIsLaunchedForAnEmptyGrid) {
  const Stream stream = open_stream();
  launch(stream, {.kernel = "nothing", .grid = {3, 0, 1}, .block = 32}, nothing_kernel);
  expect_says(fault_of([&] {
                emulator::run_grid({"nothing", {0, 1, 1}, 32}, {}, nothing_kernel);
              }),
              {"[emulator] nothing: an empty grid"});
}

TEST(Scheduler, LaunchesThatNoDeviceTakesAreRefused) {
  const Stream stream = open_stream();
  const auto message = [&](const LaunchConfig& config) {
    return fault_of([&] { launch(stream, config, nothing_kernel); });
  };
  expect_says(message({.kernel = "k", .grid = 1, .block = 33}), {"k: 33 threads a block", "multiple of 32"});
  expect_says(message({.kernel = "k", .grid = 1, .block = 1056}), {"a block of 1056 x 1 x 1 threads", "1 to 1024"});
  expect_says(message({.kernel = "k", .grid = 1, .block = {1, 1, 96}}), {"at most 64 in z"});
  expect_says(message({.kernel = "k", .grid = 1, .block = 0}), {"a block of 0 x 1 x 1 threads"});
  expect_says(message({.kernel = "k", .grid = {1, 70000, 1}, .block = 32}), {"a grid of 1 x 70000 x 1 blocks"});
  expect_says(message({.kernel = "k", .grid = 1, .block = 32, .shared_bytes = 232449}),
              {"232449 bytes of shared memory", "at most 232448"});
}

}  // namespace

}  // namespace graft::cuda::testing
