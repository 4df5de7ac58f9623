#include "engine/cpu/memory_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/cpu_backend.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace graft {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// The sanitizer's red zone of 64 bytes may take a block over the next page.
constexpr std::size_t kPage = 4096;

void write_all(const StoragePtr& block, int value) { std::memset(block->data(), value, block->bytes()); }

bool holds(const StoragePtr& block, int value) {
  const auto* bytes = static_cast<const unsigned char*>(block->data());
  return std::all_of(bytes, bytes + block->bytes(), [value](unsigned char byte) { return byte == value; });
}

TEST(MemoryPoolTest, UsesAFreedBlockAgain) {
  const auto pool = MemoryPool::create();
  for (const std::size_t bytes : {std::size_t{100}, 3 * kMiB}) {
    StoragePtr first = pool->allocate(bytes);
    const void* address = first->data();
    const StoragePtr keeps_neighbours_apart = pool->allocate(bytes);
    first.reset();
    EXPECT_EQ(pool->allocate(bytes)->data(), address) << bytes << " bytes";
  }
}

TEST(MemoryPoolTest, TakesTheSmallestHoleThatFits) {
  const auto pool = MemoryPool::create();
  StoragePtr large = pool->allocate(8 * kMiB);
  const StoragePtr wall = pool->allocate(kMiB);
  StoragePtr small = pool->allocate(2 * kMiB);
  const StoragePtr end = pool->allocate(kMiB);
  const void* hole = small->data();
  large.reset();
  small.reset();
  EXPECT_EQ(pool->allocate(2 * kMiB - kPage)->data(), hole);
}

TEST(MemoryPoolTest, JoinsFreeNeighboursInAnyOrder) {
  const std::vector<std::vector<std::size_t>> orders = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {0, 2, 1}};
  for (const std::vector<std::size_t>& order : orders) {
    const auto pool = MemoryPool::create();
    std::vector<StoragePtr> parts;
    for (int i = 0; i < 3; ++i) parts.push_back(pool->allocate(4 * kMiB));
    const void* begin = parts[0]->data();
    const StoragePtr end = pool->allocate(kMiB);
    const std::size_t reserved = pool->bytes_reserved();
    for (const std::size_t i : order) parts[i].reset();
    const StoragePtr whole = pool->allocate(12 * kMiB);
    EXPECT_EQ(whole->data(), begin);
    EXPECT_EQ(pool->bytes_reserved(), reserved);
  }
}

TEST(MemoryPoolTest, HoldsNoMoreThanTheMostThatLivedAtOnce) {
  // The pattern of training: what forward makes, backward frees in the opposite order, and small long-lived blocks
  // come in between in the first step.
  const auto pool = MemoryPool::create();
  std::vector<StoragePtr> state;
  std::size_t most = 0;
  for (int step = 0; step < 5; ++step) {
    std::vector<StoragePtr> activations;
    for (std::size_t layer = 0; layer < 20; ++layer) {
      activations.push_back(pool->allocate((1 + layer % 7) * kMiB + 12345));
      if (step == 0) state.push_back(pool->allocate(5000));
      most = std::max(most, pool->bytes_in_use());
    }
    while (!activations.empty()) activations.pop_back();
  }
  // 20 blocks rounded up by less than a page and a red zone each, and two heaps by less than 2 MiB each.
  EXPECT_LE(pool->bytes_reserved(), most + 20 * 2 * kPage + 4 * kMiB);
}

TEST(MemoryPoolTest, KeepsEveryBlockToItsOwner) {
  const auto pool = MemoryPool::create();
  const RandomStream random{.seed = 7};
  struct Owned {
    StoragePtr block;
    int value;
  };
  std::vector<Owned> owned;
  std::size_t in_use = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    if (owned.size() > 40 || (!owned.empty() && random.below(0, i, 3) == 0)) {
      const std::size_t victim = random.below(1, i, owned.size());
      ASSERT_TRUE(holds(owned[victim].block, owned[victim].value)) << "step " << i;
      in_use -= owned[victim].block->bytes();
      owned.erase(owned.begin() + static_cast<std::ptrdiff_t>(victim));
    } else {
      const std::uint64_t most = random.below(2, i, 5) == 0 ? kMiB : 2000;
      owned.push_back({pool->allocate(random.below(3, i, most)), static_cast<int>(i % 251)});
      write_all(owned.back().block, owned.back().value);
      in_use += owned.back().block->bytes();
    }
    ASSERT_EQ(pool->bytes_in_use(), in_use);
  }
}

TEST(MemoryPoolTest, LivesAsLongAsItsBlocks) {
  StoragePtr block;
  Tensor tensor;
  {
    const auto pool = MemoryPool::create();
    block = pool->allocate(5 * kMiB);
    const std::unique_ptr<Backend> backend = make_cpu_backend({.threads = 1});
    tensor = backend->empty({1000}, DType::f32);
  }
  write_all(block, 3);
  EXPECT_TRUE(holds(block, 3));
  std::thread([released = std::move(block)]() mutable { released.reset(); }).join();
  tensor.data<float>()[999] = 1.0f;
}

TEST(MemoryPoolTest, BlocksMayBeReleasedInOtherThreads) {
  const auto pool = MemoryPool::create();
  for (int round = 0; round < 20; ++round) {
    std::vector<StoragePtr> blocks;
    for (std::size_t i = 0; i < 100; ++i) blocks.push_back(pool->allocate(1 + i * 5000));
    std::thread other([released = std::move(blocks)]() mutable { released.clear(); });
    for (std::size_t i = 0; i < 100; ++i) write_all(pool->allocate(1 + i * 3000), round);
    other.join();
  }
  EXPECT_EQ(pool->bytes_in_use(), 0u);
}

TEST(MemoryPoolTest, SaysHowMuchIsHeldWhenThereIsNoMore) {
  const auto pool = MemoryPool::create();
  const StoragePtr some = pool->allocate(1000);
  try {
    pool->allocate(std::size_t{1} << 50);
    FAIL() << "a pebibyte was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    EXPECT_NE(std::string(error.what()).find("1000 are in use"), std::string::npos) << error.what();
  }
  write_all(pool->allocate(kMiB), 1);  // and it goes on
}

#if defined(__SANITIZE_ADDRESS__)
TEST(MemoryPoolTest, PoisonsWhatIsNotGiven) {
  const auto pool = MemoryPool::create();
  StoragePtr block = pool->allocate(100);
  const auto* bytes = static_cast<const std::byte*>(block->data());
  EXPECT_FALSE(__asan_address_is_poisoned(bytes + 99));
  EXPECT_TRUE(__asan_address_is_poisoned(bytes + 104));
  block.reset();
  EXPECT_TRUE(__asan_address_is_poisoned(bytes));
}
#endif

}  // namespace
}  // namespace graft
