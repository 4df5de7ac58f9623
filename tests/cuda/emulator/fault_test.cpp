// Each thing that the emulator reports in every build, planted once.
#include <stdexcept>

#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

int marked_line = 0;  // set on the line that a report has to name
int other_line = 0;   // of what else it has to name
int frames = 0;       // of kernels that are on some stack

std::string marked() { return line_of(__FILE__, marked_line); }
std::string other() { return line_of(__FILE__, other_line); }

/// Counts itself, so that a test sees that every stack was unwound.
struct Frame {
  Frame() { ++frames; }
  ~Frame() { --frames; }
};

/// The message of a launch of 64 threads in each thread order; they may differ in the thread alone.
template <class Kernel, class... Arguments>
std::vector<std::string> messages(const Kernel& kernel, const Arguments&... arguments) {
  std::vector<std::string> said;
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    said.push_back(fault_of([&] {
      launch(stream, {.kernel = "planted", .grid = {1, 2, 1}, .block = 64}, kernel, arguments...);
    }));
    EXPECT_EQ(frames, 0) << "a stack was not unwound";
    expect_says(said.back(), {"[emulator] kernel planted, block (0, ", ", thread (", marked() + ": "});
  }
  return said;
}

__global__ void divergent_barrier_kernel() {
  const Frame frame;
  marked_line = __LINE__ + 1;
  if (threadIdx.x < 40) __syncthreads();
}

TEST(Fault, BarrierThatNotAllThreadsReach) {
  for (const std::string& message : messages(divergent_barrier_kernel))
    expect_says(message, {"thread (0, 0, 0)", "a barrier of the block is not reached by all threads",
                          "thread (40, 0, 0) has ended"});
}

__global__ void early_return_kernel(int* out) {
  const Frame frame;
  if (threadIdx.x == 17) return;
  out[threadIdx.x] = 1;
  marked_line = __LINE__ + 1;
  __syncthreads();
  out[threadIdx.x] = 2;
}

TEST(Fault, ThreadThatEndsBeforeABarrier) {
  DeviceArray<int> out(64);
  for (const std::string& message : messages(early_return_kernel, out.data()))
    expect_says(message, {"thread (17, 0, 0) has ended"});
}

__global__ void two_barriers_kernel(int* out) {
  const Frame frame;
  if (threadIdx.x < 32) {
    out[threadIdx.x] = 1;
    other_line = __LINE__ + 1;
    __syncthreads();
  } else {
    out[threadIdx.x] = 2;
    marked_line = __LINE__ + 1;
    __syncthreads();
  }
}

TEST(Fault, ThreadsOfABlockAtTwoBarriers) {
  DeviceArray<int> out(64);
  const Stream stream = open_stream();
  const std::string message =
      fault_of([&] { launch(stream, {.kernel = "two", .grid = 1, .block = 64}, two_barriers_kernel, out.data()); });
  expect_says(message, {"kernel two, block (0, 0, 0), thread (32, 0, 0), " + marked(),
                        "another thread at the one at " + other()});
}

__global__ void missing_lanes_kernel(int* out) {
  const Frame frame;
  int value = static_cast<int>(threadIdx.x);
  marked_line = __LINE__ + 1;
  if (threadIdx.x % 32 < 16) value = __shfl_xor_sync(kAllLanes, value, 1);
  out[threadIdx.x] = value;
}

TEST(Fault, WarpPrimitiveThatNotAllLanesReach) {
  DeviceArray<int> out(64);
  for (const std::string& message : messages(missing_lanes_kernel, out.data()))
    expect_says(message, {"__shfl_sync is not reached by all lanes of its warp", "has ended"});
}

__global__ void lanes_at_a_barrier_kernel(int* out) {
  const Frame frame;
  if (threadIdx.x % 2 == 0) {
    marked_line = __LINE__ + 1;
    __syncwarp();
  }
  other_line = __LINE__ + 1;
  __syncthreads();
  out[threadIdx.x] = 1;
}

TEST(Fault, LanesThatWaitAtABarrierOfTheBlockMeanwhile) {
  DeviceArray<int> out(64);
  for (const std::string& message : messages(lanes_at_a_barrier_kernel, out.data()))
    expect_says(message, {"__syncwarp is not reached by all lanes of its warp", "thread (1, 0, 0)",
                          "waits at a barrier of the block at " + other()});
}

__global__ void two_primitives_kernel(int* out) {
  const Frame frame;
  if (threadIdx.x % 32 == 31) {
    marked_line = __LINE__ + 1;
    out[threadIdx.x] = static_cast<int>(__ballot_sync(kAllLanes, 1));
  } else {
    other_line = __LINE__ + 1;
    out[threadIdx.x] = __shfl_sync(kAllLanes, 1, 0);
  }
}

TEST(Fault, LanesAtTwoPrimitives) {
  DeviceArray<int> out(64);
  const Stream stream = open_stream();
  const std::string message =
      fault_of([&] { launch(stream, {.kernel = "two", .grid = 1, .block = 64}, two_primitives_kernel, out.data()); });
  expect_says(message, {"thread (31, 0, 0), " + marked(),
                        "this lane is at __ballot_sync, another of its warp at __shfl_sync at " + other()});
}

__global__ void partial_mask_kernel(int* out) {
  const Frame frame;
  int value = 1;
  marked_line = __LINE__ + 1;
  if (threadIdx.x % 32 < 8) value = __shfl_sync(0xffu, value, 0);
  out[threadIdx.x] = value;
}

TEST(Fault, PartialMask) {
  DeviceArray<int> out(64);
  for (const std::string& message : messages(partial_mask_kernel, out.data()))
    expect_says(message, {"__shfl_sync with mask 0xff: graft's kernels use whole warps"});
}

__global__ void last_statement_kernel() {
  marked_line = __LINE__ + 2;  // the call is the kernel's last, and may not become a jump
  if (threadIdx.x == 3) return;
  __syncwarp();
}

TEST(Fault, PrimitiveThatIsAKernelsLastStatement) { messages(last_statement_kernel); }

__global__ void throwing_kernel() {
  const Frame frame;
  __syncthreads();
  if (threadIdx.x == 9) throw std::out_of_range("thrown by a kernel");
  __syncthreads();
}

TEST(Fault, ExceptionOfAKernelLeavesTheLaunchAndUnwindsAllThreads) {
  const Stream stream = open_stream();
  EXPECT_THROW(launch(stream, {.kernel = "throwing", .grid = 1, .block = 64}, throwing_kernel), std::out_of_range);
  EXPECT_EQ(frames, 0);
}

__global__ void clean_kernel(int* out) {
  const Frame frame;
  const int thread = static_cast<int>(threadIdx.x);
  const int other = __shfl_xor_sync(kAllLanes, thread, 1);
  __syncthreads();
  out[thread] = other;
}

TEST(Fault, NextLaunchOnTheSameStreamWorks) {
  const Stream stream = open_stream();
  DeviceArray<int> out(64);
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_NE(fault_of([&] {
                launch(stream, {.kernel = "planted", .grid = 1, .block = 64}, missing_lanes_kernel, out.data());
              }),
              "");
    launch(stream, {.kernel = "clean", .grid = 1, .block = 64}, clean_kernel, out.data());
    EXPECT_EQ(out.values(stream)[62], 63);
  }
  EXPECT_EQ(frames, 0);
}

__global__ void launching_kernel(const Stream* stream) {
  launch(*stream, {.kernel = "inner", .grid = 1, .block = 32}, last_statement_kernel);
}

TEST(Fault, KernelThatLaunchesOne) {
  const Stream stream = open_stream();
  expect_says(fault_of([&] { launch(stream, {.kernel = "outer", .grid = 1, .block = 32}, launching_kernel, &stream); }),
              {"inner: launched by a kernel"});
}

}  // namespace

}  // namespace graft::cuda::testing
