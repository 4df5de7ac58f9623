#include "cuda/runtime/memory_pool.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "cuda/runtime/graph.h"
#include "engine/base/error.h"

namespace graft::cuda::testing {
namespace {

TEST(CudaMemoryPool, GivesABlockOutAgain) {
  const auto pool = MemoryPool::create(open_device(0));
  const void* first = pool->allocate(1000)->data();
  const StoragePtr again = pool->allocate(900);
  EXPECT_EQ(again->data(), first) << "both are blocks of 1024 bytes";
  EXPECT_EQ(pool->statistics().device_requests, 1u);
  EXPECT_EQ(pool->statistics().in_use, 900u);
  EXPECT_EQ(pool->statistics().reserved, 1024u);
}

TEST(CudaMemoryPool, TrimGivesFreeBlocksBack) {
  const auto pool = MemoryPool::create(open_device(0));
  const StoragePtr kept = pool->allocate(512);
  pool->allocate(4 << 20);
  EXPECT_EQ(pool->statistics().reserved, 512u + (4u << 20));
  pool->trim();
  EXPECT_EQ(pool->statistics().reserved, 512u);
  EXPECT_EQ(pool->statistics().peak_reserved, 512u + (4u << 20));
}

TEST(CudaMemoryPool, APrivatePoolKeepsItsBlocksToItself) {
  const auto pool = MemoryPool::create(open_device(0));
  auto graphs = pool->create_private();
  const void* block = graphs->allocate(4096)->data();
  EXPECT_EQ(graphs->allocate(4096)->data(), block) << "within the graph it is used again";
  EXPECT_NE(pool->allocate(4096)->data(), block);
  EXPECT_EQ(pool->statistics().reserved, 2u * 4096u) << "one account";
  graphs = nullptr;
  EXPECT_EQ(pool->statistics().reserved, 4096u) << "the graph's memory went with it";
}

/// True iff the pool says that the device has no more.
bool is_refused(MemoryPool& pool, std::size_t bytes) {
  try {
    pool.allocate(bytes);
    return false;
  } catch (const Error& error) {
    return error.kind() == ErrorKind::device;
  }
}

/// A free block of a graph's pool is where an earlier kernel of the graph writes at every replay.
TEST(CudaMemoryPool, AFullDeviceGetsFreeBlocksBackButNotAGraphs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // in a process of its own: what the device is like is read once
  const auto fill_device = [] {
    setenv("GRAFT_EMULATED_DEVICE", "memory=67108864", 1);
    const auto pool = MemoryPool::create(open_device(0));
    const auto graphs = pool->create_private();
    graphs->allocate(std::size_t{30} << 20);
    const bool graph_kept = is_refused(*graphs, std::size_t{40} << 20);
    pool->allocate(std::size_t{20} << 20);
    const bool pool_trimmed = !is_refused(*pool, std::size_t{24} << 20);
    std::_Exit(graph_kept && pool_trimmed ? 0 : 1);
  };
  EXPECT_EXIT(fill_device(), ::testing::ExitedWithCode(0), "");
}

TEST(CudaMemoryPool, AllocatesWhileAStreamIsCaptured) {
  const Stream stream(open_device(0));
  const auto pool = MemoryPool::create(stream.device());
  StoragePtr block;
  const Graph graph(stream, [&] { block = pool->allocate(1 << 20); });
  EXPECT_NE(block->data(), nullptr);
}

TEST(CudaMemoryPool, BlocksOutliveTheirPool) {
  StoragePtr block = MemoryPool::create(open_device(0))->allocate(100);
  EXPECT_EQ(block->bytes(), 100u);
  block = nullptr;
}

}  // namespace
}  // namespace graft::cuda::testing
