// What the sanitized build (GRAFT_SANITIZE) finds out: AddressSanitizer's report, after a line of the emulator's that
// names kernel, block and thread.
#include "cuda/emulator/sanitizer.h"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/memory_pool.h"
#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

#ifdef GRAFT_ADDRESS_SANITIZER
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

#define SKIP_UNLESS_SANITIZED() \
  if (!kSanitized) GTEST_SKIP() << "not a sanitized build"

__global__ void add_one_kernel(float* values, int count) {
  const auto i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  __syncthreads();  // on a stack of its own
  if (i <= count) values[i] += 1.0f;
}

void add_one(float* values, int count) {
  launch(open_stream(), {.kernel = "add_one", .grid = 2, .block = 32}, add_one_kernel, values, count);
}

TEST(SanitizedBuild, WriteBehindABlockOfDeviceMemory) {
  SKIP_UNLESS_SANITIZED();
  DeviceArray<float> values(40);
  add_one(values.data(), 39);
  EXPECT_DEATH(add_one(values.data(), 40),
               "kernel add_one, block \\(1, 0, 0\\), thread \\(8, 0, 0\\):.*heap-buffer-overflow.*sanitized_test.cpp");
}

TEST(SanitizedBuild, WriteBehindATensorInAPoolsBlock) {
  SKIP_UNLESS_SANITIZED();
  const auto pool = MemoryPool::create(open_device(0));
  const StoragePtr storage = pool->allocate(160);
  auto* values = static_cast<float*>(storage->data());
  add_one(values, 39);
  EXPECT_DEATH(add_one(values, 40), "kernel add_one, block \\(1, 0, 0\\), thread \\(8, 0, 0\\):.*use-after-poison");
}

TEST(SanitizedBuild, UseOfABlockThatThePoolHasBack) {
  SKIP_UNLESS_SANITIZED();
  const auto pool = MemoryPool::create(open_device(0));
  auto* values = static_cast<float*>(pool->allocate(160)->data());
  EXPECT_DEATH(add_one(values, 39), "kernel add_one, block \\(0, 0, 0\\), thread \\(0, 0, 0\\):.*use-after-poison");
}

__global__ void shared_end_kernel(int index) {
  auto* shared = dynamic_shared<volatile float>();
  if (threadIdx.x == 3) shared[index] = 1.0f;
}
void write_shared(int index) {
  launch(open_stream(), {.kernel = "shared_end", .grid = 1, .block = 32, .shared_bytes = 128}, shared_end_kernel,
         index);
}

TEST(SanitizedBuild, WriteBehindDynamicSharedMemory) {
  SKIP_UNLESS_SANITIZED();
  write_shared(31);
  EXPECT_DEATH(write_shared(32), "kernel shared_end, block \\(0, 0, 0\\), thread \\(3, 0, 0\\):.*use-after-poison");
  EXPECT_DEATH(write_shared(-1), "kernel shared_end, block \\(0, 0, 0\\), thread \\(3, 0, 0\\):.*use-after-poison");
}

__global__ void own_array_kernel(float* values, int index) {
  volatile float own[4] = {1, 2, 3, 4};
  __syncthreads();
  values[threadIdx.x] = own[index];
}
void read_own(int index) {
  DeviceArray<float> values(32);
  launch(open_stream(), {.kernel = "own_array", .grid = 1, .block = 32}, own_array_kernel, values.data(), index);
}

TEST(SanitizedBuild, ReadBehindAThreadsOwnArray) {
  SKIP_UNLESS_SANITIZED();
  read_own(3);
  EXPECT_DEATH(read_own(4), "own_array|index 4 out of bounds");
}

TEST(SanitizedBuild, AFaultUnwindsStacksWithoutAReport) {
  // Exceptions on fibers are what AddressSanitizer has to be told of: it would take the stacks for the host's.
  for (int turn = 0; turn < 50; ++turn)
    EXPECT_NE(fault_of([] {
                launch(
                    open_stream(), {.kernel = "own_array", .grid = 1, .block = 32},
                    +[](int) {
                      if (threadIdx.x > 3) __syncthreads();
                    },
                    0);
              }),
              "");
}

}  // namespace

}  // namespace graft::cuda::testing
