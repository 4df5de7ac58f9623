// What the checked build alone finds out: each fault planted once, and reported with its line in every thread order;
// and kernels like them that do nothing wrong, not reported in any.
#include <cstdio>
#include <fstream>

#include "cuda/kernels/device/async_copy.cuh"
#include "cuda/kernels/device/vector_io.cuh"
#include "cuda/runtime/memory_pool.h"
#include "tests/cuda/emulator/kernel_run.h"

namespace graft::cuda::testing {

namespace {

constexpr unsigned kThreads = 64;

/// The lines of this file that kernels name: those marked with // (1) and // (2) behind the name of `kernel`.
std::string planted_line(const std::string& kernel, const std::string& mark) {
  static const std::vector<std::string> lines = [] {
    std::ifstream file(__FILE__);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) all.push_back(line);
    return all;
  }();
  bool inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    inside = inside || lines[i].find(" " + kernel + "(") != std::string::npos;
    if (inside && lines[i].ends_with("// " + mark)) return line_of(__FILE__, static_cast<int>(i) + 1);
  }
  return "no line " + mark + " in " + kernel;
}

/// Fails unless a launch over `words` in every order is reported with all the texts; `marks` are lines as above.
template <class... Parameters>
void expect_reported(const LaunchConfig& config, void (*kernel)(float*, Parameters...),
                     std::initializer_list<std::string> texts, std::type_identity_t<Parameters>... arguments) {
  if (!emulator::kChecked) GTEST_SKIP() << "not checked in this build";
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<float> words(stream, std::vector<float>(256, 1.0f));
    const std::string message = fault_of([&] { launch(stream, config, kernel, words.data(), arguments...); });
    expect_says(message, {std::string("[emulator] kernel ") + config.kernel + ", block (", ", thread ("});
    expect_says(message, texts);
  }
}

template <class... Parameters>
void expect_clean(const LaunchConfig& config, void (*kernel)(float*, Parameters...),
                  std::type_identity_t<Parameters>... arguments) {
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<float> words(stream, std::vector<float>(256, 1.0f));
    EXPECT_EQ(fault_of([&] { launch(stream, config, kernel, words.data(), arguments...); }), "");
  }
}

LaunchConfig one_block(const char* kernel, std::size_t shared_bytes = 0) {
  return {.kernel = kernel, .grid = 1, .block = kThreads, .shared_bytes = shared_bytes};
}

TEST(CheckedBuild, SaysWhatItChecks) {
  const std::string text = emulator::checks_of_this_build();
  expect_says(text, {"ot checked: "});
  RecordProperty("checks", text);
  std::printf("%s\n", text.c_str());
}

// Bounds.

__global__ void read_behind_kernel(float* words) {
  float value = 0;
  if (threadIdx.x == 3) value = words[256 + 2];  // (1)
  words[threadIdx.x] = value;
}
TEST(CheckedBuild, ReadBehindABlockOfDeviceMemory) {
  expect_reported(one_block("k"), read_behind_kernel,
                  {planted_line("read_behind_kernel", "(1)"), "thread (3, 0, 0)",
                   "reads 4 bytes of device memory out of bounds", "8 bytes behind the end of a block of 1024"});
}

__global__ void write_before_kernel(float* words) {
  if (threadIdx.x == 3) *(words - 4) = 1.0f;  // (1)
}
TEST(CheckedBuild, WriteBeforeABlockOfDeviceMemory) {
  expect_reported(one_block("k"), write_before_kernel,
                  {planted_line("write_before_kernel", "(1)"), "writes 4 bytes of device memory out of bounds"});
}

__global__ void wide_write_kernel(float* words, float* short_block) {
  const auto vector = load_vector<4>(words);
  if (threadIdx.x == 7) store_vector(short_block + 60, vector);  // (1)
}
TEST(CheckedBuild, WideWriteOfWhichOnlyAPartLiesInTheBlock) {
  DeviceArray<float> short_block(62);
  expect_reported(one_block("k"), wide_write_kernel,
                  {planted_line("wide_write_kernel", "(1)"), "thread (7, 0, 0)",
                   "bytes of device memory out of bounds: 0 bytes behind the end of a block of 248"},
                  short_block.data());
}

__global__ void dynamic_shared_kernel(float* words) {
  auto* shared = dynamic_shared<float>();
  shared[threadIdx.x] = 1.0f;
  __syncthreads();
  if (threadIdx.x == 40) shared[kThreads + 1] = words[0];  // (1)
}
TEST(CheckedBuild, WriteBehindDynamicSharedMemory) {
  expect_reported(
      one_block("k", kThreads * 4), dynamic_shared_kernel,
      {planted_line("dynamic_shared_kernel", "(1)"), "thread (40, 0, 0)",
       "writes 4 bytes of shared memory out of bounds", "byte 260 of the 256 bytes of dynamic shared memory"});
}

__global__ void static_index_kernel(float* words, int row) {
  __shared__ float tile[4][16];
  tile[threadIdx.x / 16][threadIdx.x % 16] = 1.0f;
  __syncthreads();
  if (threadIdx.x == 9) words[0] = tile[row][3];  // (1)
}
TEST(CheckedBuild, IndexOutsideOfAStaticSharedArray) {
  expect_reported(one_block("k"), static_index_kernel,
                  {planted_line("static_index_kernel", "(1)"), "thread (9, 0, 0)", "index 5 is outside of its array"},
                  5);
  expect_clean(one_block("k"), static_index_kernel, 3);
}

__global__ void freed_kernel(float* words, const float* other) {
  words[threadIdx.x] = other[threadIdx.x];  // (1)
}
TEST(CheckedBuild, UseOfABlockThatThePoolHasBack) {
  const auto pool = MemoryPool::create(open_device(0));
  const float* other = nullptr;
  {
    const StoragePtr storage = pool->allocate(1000);
    other = static_cast<const float*>(storage->data());
  }
  expect_reported(one_block("k"), freed_kernel,
                  {planted_line("freed_kernel", "(1)"), "out of bounds: in a block that was given back"}, other);
}
TEST(CheckedBuild, PoolsBlockEndsWhereItsTensorEnds) {
  const auto pool = MemoryPool::create(open_device(0));
  const StoragePtr storage = pool->allocate(kThreads * 4 - 4);
  const Stream stream = open_stream();
  stream.fill_bytes(storage->data(), 0, kThreads * 4 - 4);
  expect_reported(
      one_block("k"), freed_kernel,
      {planted_line("freed_kernel", "(1)"), "thread (63, 0, 0)", "0 bytes behind the end of a block of 252"},
      static_cast<const float*>(storage->data()));
}

// Memory that nobody wrote.

__global__ void unwritten_shared_kernel(float* words) {
  __shared__ float values[kThreads];
  if (threadIdx.x != 6) values[threadIdx.x] = 1.0f;
  __syncthreads();
  words[threadIdx.x] = values[threadIdx.x];  // (1)
}
TEST(CheckedBuild, ReadOfUnwrittenStaticSharedMemory) {
  expect_reported(one_block("k"), unwritten_shared_kernel,
                  {planted_line("unwritten_shared_kernel", "(1)"), "thread (6, 0, 0)",
                   "reads 4 bytes of shared memory, of which byte 0 was never written"});
}

__global__ void block_before_kernel(float* words) {
  auto* shared = dynamic_shared<float>();
  words[blockIdx.x * 32 + threadIdx.x] = shared[threadIdx.x];  // (1)
  shared[threadIdx.x] = 1.0f;
}
TEST(CheckedBuild, ReadOfWhatTheBlockBeforeLeftInSharedMemory) {
  expect_reported({.kernel = "k", .grid = 2, .block = 32, .shared_bytes = 128}, block_before_kernel,
                  {planted_line("block_before_kernel", "(1)"), "shared memory, of which byte 0 was never written"});
}

TEST(CheckedBuild, ReadOfUnwrittenDeviceMemory) {
  DeviceArray<float> other(kThreads);
  expect_reported(
      one_block("k"), freed_kernel,
      {planted_line("freed_kernel", "(1)"), "reads 4 bytes of device memory, of which byte 0 was never written"},
      static_cast<const float*>(other.data()));
}
TEST(CheckedBuild, ReadOfWhatAPoolsBlockHeldBefore) {
  const auto pool = MemoryPool::create(open_device(0));
  const Stream stream = open_stream();
  for (int turn = 0; turn < 2; ++turn) {
    const StoragePtr storage = pool->allocate(kThreads * 4);
    if (turn == 0) stream.fill_bytes(storage->data(), 0, kThreads * 4);
    if (turn == 1)
      expect_reported(one_block("k"), freed_kernel, {"device memory, of which byte 0 was never written"},
                      static_cast<const float*>(storage->data()));
  }
}
TEST(CheckedBuild, CopiesCarryWhatWasWritten) {
  const Stream stream = open_stream();
  DeviceArray<float> first(kThreads);
  DeviceArray<float> second(kThreads);
  stream.copy(first.data(), second.data(), kThreads * 4);
  expect_reported(one_block("k"), freed_kernel, {"never written"}, static_cast<const float*>(second.data()));
  stream.fill_bytes(first.data(), 0, kThreads * 4);
  stream.copy(first.data(), second.data(), kThreads * 4);
  expect_clean(one_block("k"), freed_kernel, static_cast<const float*>(second.data()));
}

// Hazards within a block.

__global__ void missing_barrier_kernel(float* words) {
  auto* shared = dynamic_shared<float>();
  shared[threadIdx.x] = 1.0f;                               // (1)
  words[threadIdx.x] = shared[kThreads - 1 - threadIdx.x];  // (2)
}
TEST(CheckedBuild, SharedMemoryWithoutABarrierBetweenWriterAndReader) {
  // The reader comes first or last, as the order has it: then the memory is not written yet, or the two are not
  // ordered.
  expect_reported(one_block("k", kThreads * 4), missing_barrier_kernel,
                  {planted_line("missing_barrier_kernel", "(2)"), "shared memory"});
}

__global__ void reused_tile_kernel(float* words) {
  __shared__ float tile[kThreads];
  for (int round = 0; round < 2; ++round) {
    tile[threadIdx.x] = static_cast<float>(round);  // (1)
    __syncthreads();
    words[threadIdx.x] = tile[kThreads - 1 - threadIdx.x];  // (2)
  }
}
TEST(CheckedBuild, TileWrittenAnewBeforeAllHaveReadIt) {
  expect_reported(one_block("k"), reused_tile_kernel,
                  {planted_line("reused_tile_kernel", "(1)"), planted_line("reused_tile_kernel", "(2)"),
                   "hazard: ", "nothing orders the two"});
}

__global__ void two_writers_kernel(float* words) {
  __shared__ float sum;
  if (threadIdx.x % 32 == 0) sum = 1.0f;  // (1)
  __syncthreads();
  if (threadIdx.x == 0) words[0] = sum;
}
TEST(CheckedBuild, TwoThreadsThatWriteOneWord) {
  expect_reported(one_block("k"), two_writers_kernel,
                  {planted_line("two_writers_kernel", "(1)"), "hazard: writes shared memory that thread (",
                   "touches at " + planted_line("two_writers_kernel", "(1)")});
}

__global__ void global_hazard_kernel(float* words) {
  words[threadIdx.x] = 2.0f;                            // (1)
  words[128 + threadIdx.x] = words[threadIdx.x ^ 32u];  // (2)
}
TEST(CheckedBuild, DeviceMemoryThatOtherThreadsOfTheBlockWrite) {
  expect_reported(one_block("k"), global_hazard_kernel,
                  {"hazard: ", "device memory that thread (", planted_line("global_hazard_kernel", "(1)"),
                   planted_line("global_hazard_kernel", "(2)")});
}

/// A sum of 32 values by halves, as a warp in lockstep gets it right: the last __syncwarp is not there.
__global__ void missing_last_syncwarp_kernel(float* words) {
  __shared__ float partial[32];
  const unsigned lane = threadIdx.x;
  float value = words[lane];
  for (unsigned half = 16; half > 0; half /= 2) {
    partial[lane] = value;  // (1)
    if (half > 1) __syncwarp();
    value += partial[lane ^ half];  // (2)
    if (half > 1) __syncwarp();
  }
  words[lane] = value;
}
TEST(CheckedBuild, ReductionWithoutItsLastSyncwarp) {
  expect_reported({.kernel = "k", .grid = 1, .block = 32}, missing_last_syncwarp_kernel,
                  {"hazard: ", planted_line("missing_last_syncwarp_kernel", "(1)"),
                   planted_line("missing_last_syncwarp_kernel", "(2)"), "shared memory that thread ("});
}

/// A tile turned by one warp, as a warp in lockstep gets it right: no barrier of any kind.
__global__ void one_warp_tile_kernel(float* words) {
  __shared__ float tile[8][33];
  for (unsigned row = 0; row < 8; ++row) tile[row][threadIdx.x] = words[row * 32 + threadIdx.x];  // (1)
  for (unsigned i = threadIdx.x; i < 256; i += 32) words[i] = tile[i % 8][i / 8];                 // (2)
}
TEST(CheckedBuild, OneWarpTileWithoutABarrier) {
  expect_reported({.kernel = "k", .grid = 1, .block = 32}, one_warp_tile_kernel,
                  {planted_line("one_warp_tile_kernel", "(2)"), "shared memory"});
}

__global__ void other_warp_kernel(float* words) {
  __shared__ float values[kThreads];
  values[threadIdx.x] = 1.0f;  // (1)
  __syncwarp();
  words[threadIdx.x] = values[threadIdx.x ^ 32u];  // (2)
}
TEST(CheckedBuild, SyncwarpDoesNotOrderTwoWarps) {
  expect_reported(one_block("k"), other_warp_kernel, {planted_line("other_warp_kernel", "(2)"), "shared memory"});
}

__global__ void landed_copy_kernel(float* words) {
  auto* shared = dynamic_shared<float>();
  copy_async<4>(shared + threadIdx.x, words + threadIdx.x, true);  // (1)
  copy_async_commit();
  copy_async_wait<0>();
  words[128 + threadIdx.x] = read_async_shared(shared + (threadIdx.x ^ 32u));  // (2)
}
TEST(CheckedBuild, CopyAsyncIsOrderedByItsWaitForItsOwnThreadOnly) {
  expect_reported(one_block("k", kThreads * 4), landed_copy_kernel,
                  {planted_line("landed_copy_kernel", "(2)"), "shared memory"});
}

__global__ void overtaking_copy_kernel(float* words) {
  auto* shared = dynamic_shared<float>();
  shared[threadIdx.x] = 1.0f;
  __syncthreads();
  const float value = shared[threadIdx.x ^ 32u];                   // (2)
  copy_async<4>(shared + threadIdx.x, words + threadIdx.x, true);  // (1)
  copy_async_commit();
  copy_async_wait<0>();
  words[128 + threadIdx.x] = value;
}
TEST(CheckedBuild, CopyAsyncThatMayOvertakeAnotherThreadsRead) {
  expect_reported(one_block("k", kThreads * 4), overtaking_copy_kernel,
                  {planted_line("overtaking_copy_kernel", "(1)"), planted_line("overtaking_copy_kernel", "(2)")});
}

__global__ void read_and_atomic_kernel(int* count) {
  const int before = *count;              // (1)
  atomicAdd(count, before == 0 ? 1 : 2);  // (2)
}
__global__ void plain_and_atomic_kernel(int* count) {
  if (threadIdx.x == 0) *count = 0;  // (1)
  atomicAdd(count, 1);               // (2)
}
TEST(CheckedBuild, PlainReadOrWriteBesideAnAtomic) {
  if (!emulator::kChecked) GTEST_SKIP() << "not checked in this build";
  for (const auto& order : thread_orders()) {
    const Stream stream = open_stream(order);
    DeviceArray<int> count(stream, {0});
    const std::string message =
        fault_of([&] { launch(stream, one_block("k"), plain_and_atomic_kernel, count.data()); });
    expect_says(message, {"hazard: ", planted_line("plain_and_atomic_kernel", "(1)"),
                          planted_line("plain_and_atomic_kernel", "(2)")});
    const std::string read_message =
        fault_of([&] { launch(stream, one_block("k"), read_and_atomic_kernel, count.data()); });
    expect_says(read_message, {"hazard: ", planted_line("read_and_atomic_kernel", "(1)"),
                               planted_line("read_and_atomic_kernel", "(2)")});
  }
}

// Hazards between blocks.

__global__ void two_blocks_kernel(float* words) {
  if (threadIdx.x == blockIdx.x) words[5] = 1.0f;  // (1)
}
TEST(CheckedBuild, TwoBlocksThatWriteOneWord) {
  expect_reported({.kernel = "k", .grid = 2, .block = 32}, two_blocks_kernel,
                  {planted_line("two_blocks_kernel", "(1)"), "hazard: writes device memory that thread (", "of block (",
                   "nothing orders the blocks of a launch"});
}

__global__ void neighbour_block_kernel(float* words) {
  words[blockIdx.x * 32 + threadIdx.x] = 1.0f;
  __syncthreads();
  words[128 + blockIdx.x * 32 + threadIdx.x] = words[(blockIdx.x ^ 1u) * 32 + threadIdx.x];
}
TEST(CheckedBuild, BlockThatReadsWhatAnotherWrites) {
  expect_reported({.kernel = "k", .grid = 2, .block = 32}, neighbour_block_kernel, {"hazard: ", "of block ("});
}

}  // namespace

}  // namespace graft::cuda::testing
