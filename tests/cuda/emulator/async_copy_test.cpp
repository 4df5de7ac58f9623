#include "cuda/kernels/device/async_copy.cuh"

#include <cmath>
#include <numeric>

#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

constexpr int kThreads = 64;
int marked_line = 0;  // set beside the line that a report has to name

/// Two stages of 4 floats a thread, each thread reads its neighbour's: y[i] = x[(i + 4) % count], 0 behind `valid`.
__global__ void pipeline_kernel(const float* x, float* y, int valid, int tiles) {
  auto* stage = dynamic_shared<float>();
  constexpr int kTile = 4 * kThreads;
  const int thread = static_cast<int>(threadIdx.x);
  const auto start = [&](int tile) {
    const int at = tile * kTile + 4 * thread;
    if (tile < tiles) copy_async<16>(stage + tile % 2 * kTile + 4 * thread, x + at, at < valid);
    copy_async_commit();
  };
  start(0);
  for (int tile = 0; tile < tiles; ++tile) {
    start(tile + 1);
    copy_async_wait<1>();
    __syncthreads();
    const int neighbour = (thread + 1) % kThreads;
    for (int k = 0; k < 4; ++k)
      y[tile * kTile + 4 * thread + k] = read_async_shared(stage + tile % 2 * kTile + 4 * neighbour + k);
    __syncthreads();
  }
  copy_async_wait<0>();
}

TEST(AsyncCopy, PipelineOfTwoStagesGivesTheSameBitsInEveryThreadOrder) {
  constexpr int kTiles = 5;
  constexpr int kTile = 4 * kThreads;
  std::vector<float> x(kTiles * kTile);
  std::iota(x.begin(), x.end(), 1.0f);
  const int valid = 3 * kTile + 20;
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<float> from(stream, x);
    DeviceArray<float> to(x.size());
    launch(stream, {.kernel = "pipeline", .grid = 1, .block = kThreads, .shared_bytes = 2 * kTile * sizeof(float)},
           pipeline_kernel, from.data(), to.data(), valid, kTiles);
    const std::vector<float> y = to.values(stream);
    for (int i = 0; i < kTiles * kTile; ++i) {
      const int source = i / kTile * kTile + (i % kTile + 4) % kTile;
      ASSERT_EQ(y[static_cast<std::size_t>(i)], source < valid ? static_cast<float>(source + 1) : 0.0f) << i;
    }
  }
}

__global__ void widths_kernel(const float* x, float* y) {
  __shared__ __align__(16) float stage[8];
  if (threadIdx.x == 0) {
    copy_async<4>(stage, x, true);
    copy_async<4>(stage + 1, x + 1, false);
    copy_async<8>(stage + 2, x + 2, true);
    copy_async<16>(stage + 4, x + 4, true);
    copy_async_commit();
    copy_async_wait<0>();
  }
  __syncthreads();
  if (threadIdx.x < 8) y[threadIdx.x] = read_async_shared(stage + threadIdx.x);
}

TEST(AsyncCopy, CopiesFourEightAndSixteenBytesToStaticSharedMemory) {
  const Stream stream = open_stream();
  DeviceArray<float> from(stream, {1, 2, 3, 4, 5, 6, 7, 8});
  DeviceArray<float> to(8);
  launch(stream, {.kernel = "widths", .grid = 1, .block = 32}, widths_kernel, from.data(), to.data());
  EXPECT_EQ(to.values(stream), (std::vector<float>{1, 0, 3, 4, 5, 6, 7, 8}));
}

__global__ void poison_kernel(const float* x, float* y) {
  __shared__ __align__(16) float stage[4];
  if (threadIdx.x == 0) {
    stage[0] = 5.0f;
    copy_async<16>(stage, x, true);
    copy_async_commit();
    y[0] = stage[0];  // not through read_async_shared
    copy_async_wait<0>();
    y[1] = stage[0];
  }
}

TEST(AsyncCopy, DestinationIsNanUntilTheWait) {
  if (emulator::kChecked) GTEST_SKIP() << "the checked build reports the read";
  const Stream stream = open_stream();
  DeviceArray<float> from(stream, {1, 2, 3, 4});
  DeviceArray<float> to(2);
  launch(stream, {.kernel = "poison", .grid = 1, .block = 32}, poison_kernel, from.data(), to.data());
  const std::vector<float> y = to.values(stream);
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[1], 1.0f);
}

/// Which of the things that may not be done is done.
enum class Wrong { read_own, read_other, wrong_group, not_waited, twice, misaligned, outside };

__global__ void wrong_kernel(const float* x, float* y, Wrong wrong) {
  auto* stage = dynamic_shared<float>();
  const unsigned thread = threadIdx.x;
  float* mine = stage + 4 * thread;
  if (wrong == Wrong::misaligned) {
    marked_line = __LINE__ + 1;
    copy_async<16>(mine + 1, x, true);
  }
  if (wrong == Wrong::outside) {
    marked_line = __LINE__ + 1;
    copy_async<16>(stage + 4 * blockDim.x, x, true);
  }
  if (wrong == Wrong::not_waited) {
    marked_line = __LINE__ + 1;
    if (thread == 5) copy_async<16>(mine, x, true);
    return;
  }
  copy_async<16>(mine, x, true);
  if (wrong == Wrong::twice) {
    marked_line = __LINE__ + 1;
    copy_async<16>(mine, x, true);
  }
  copy_async_commit();
  if (wrong == Wrong::wrong_group) copy_async_wait<1>();
  if (wrong == Wrong::read_own || wrong == Wrong::wrong_group) {
    marked_line = __LINE__ + 1;
    y[thread] = read_async_shared(mine + 3);
  }
  __syncthreads();
  if (thread < 32) copy_async_wait<0>();
  __syncthreads();
  marked_line = __LINE__ + 1;
  y[thread] = read_async_shared(stage + 4 * 32);
  copy_async_wait<0>();
}

std::string wrong_message(Wrong wrong) {
  const Stream stream = open_stream();
  DeviceArray<float> from(stream, {1, 2, 3, 4});
  DeviceArray<float> to(kThreads);
  return fault_of([&] {
    launch(stream, {.kernel = "wrong", .grid = 1, .block = kThreads, .shared_bytes = kThreads * 16}, wrong_kernel,
           from.data(), to.data(), wrong);
  });
}

void expect_wrong(Wrong wrong, std::initializer_list<std::string> texts) {
  const std::string message = wrong_message(wrong);
  expect_says(message, {line_of(__FILE__, marked_line)});
  expect_says(message, texts);
}

TEST(AsyncCopy, ReadOfBytesOnTheirWayIsAFault) {
  expect_wrong(
      Wrong::read_own,
      {"kernel wrong, block (0, 0, 0), thread (0",
       "reads shared memory that the copy_async of thread (0, 0, 0) at tests/cuda/emulator/async_copy_test.cpp"});
  expect_wrong(Wrong::wrong_group, {"is still to write"});
}

TEST(AsyncCopy, ReadOfBytesThatAnotherThreadHasNotWaitedForIsAFault) {
  expect_wrong(Wrong::read_other, {"copy_async of thread (32, 0, 0)"});
}

TEST(AsyncCopy, ThreadThatEndsWithCopiesNotWaitedForIsAFault) {
  expect_wrong(Wrong::not_waited, {"thread (5, 0, 0)", "ends with 1 copies"});
}

TEST(AsyncCopy, SecondCopyToTheSameBytesIsAFault) {
  expect_wrong(Wrong::twice, {"thread (0, 0, 0)", "still to write"});
}

TEST(AsyncCopy, MisalignedAndOutsideOfSharedMemoryAreFaults) {
  expect_wrong(Wrong::misaligned, {"multiples of 16"});
  expect_wrong(Wrong::outside, {"at byte 1024 of the 1024 bytes"});
}

TEST(AsyncCopy, NextLaunchWorksAfterAFault) {
  EXPECT_NE(wrong_message(Wrong::read_own), "");
  const Stream stream = open_stream();
  DeviceArray<float> from(stream, {1, 2, 3, 4, 5, 6, 7, 8});
  DeviceArray<float> to(8);
  launch(stream, {.kernel = "widths", .grid = 1, .block = 32}, widths_kernel, from.data(), to.data());
  EXPECT_EQ(to.values(stream)[7], 8.0f);
}

}  // namespace

}  // namespace graft::cuda::testing
