#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "engine/base/error.h"
#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

#ifdef __SANITIZE_ADDRESS__
// The sanitizer would end the program where the system returns null, which is what a test here asks for.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }
#endif

namespace graft::testing {

namespace {

using MemoryTest = KernelTest;

}  // namespace

TEST_P(MemoryTest, IsAlignedAndDoesNotOverlap) {
  std::vector<StoragePtr> blocks;
  for (const std::size_t bytes : {0u, 1u, 63u, 64u, 65u, 1000u, 100000u, 3000000u, 1u, 64u}) {
    blocks.push_back(backend().allocate(bytes));
    EXPECT_EQ(blocks.back()->bytes(), bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blocks.back()->data()) % 64, 0u) << bytes << " bytes";
  }
  for (const StoragePtr& a : blocks) {
    for (const StoragePtr& b : blocks) {
      const auto* a_begin = static_cast<const std::byte*>(a->data());
      const auto* b_begin = static_cast<const std::byte*>(b->data());
      const bool disjoint = a == b || a_begin + a->bytes() <= b_begin || b_begin + b->bytes() <= a_begin;
      EXPECT_TRUE(disjoint) << a->bytes() << " and " << b->bytes() << " bytes overlap";
    }
  }
}

TEST_P(MemoryTest, CountsWhatLives) {
  EXPECT_EQ(backend().bytes_in_use(), 0u);
  {
    const Tensor a = backend().empty({1000}, dtype());
    EXPECT_GE(backend().bytes_in_use(), a.nbytes());
    EXPECT_GE(backend().bytes_reserved(), backend().bytes_in_use());
    const Tensor shared = a.reshape({10, 100});
    const std::size_t before = backend().bytes_in_use();
    const Tensor row = shared.slice(3, 4);
    EXPECT_EQ(backend().bytes_in_use(), before) << "views share storage";
  }
  EXPECT_EQ(backend().bytes_in_use(), 0u);
}

TEST_P(MemoryTest, SurvivesReuse) {
  for (int round = 0; round < 50; ++round) {
    const Pair a = normal({round * 37 + 1}, dtype());
    const Pair b = normal({round * 11 + 5}, dtype());
    expect_close("a", a, 0.0);
    expect_close("b", b, 0.0);
  }
}

TEST_P(MemoryTest, RefusesTheImpossible) {
  try {
    backend().allocate(std::numeric_limits<std::size_t>::max() / 2);
    FAIL() << "half of the address space was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
  }
}

TEST_P(MemoryTest, CopiesSlicesAndEmptyTensors) {
  const Pair x = normal({5, 3}, dtype());
  const Pair rows{x.tested.slice(2, 4), x.exact.slice(2, 4)};
  expect_close("rows", rows, 0.0);
  expect_close("no rows", {x.tested.slice(5, 5), x.exact.slice(5, 5)}, 0.0);
  const Tensor zeros = backend().zeros({3, 3}, dtype());
  EXPECT_EQ(largest(values_of(zeros)), 0.0);
}

TEST_P(MemoryTest, NamesItself) {
  EXPECT_FALSE(backend().kind().empty());
  EXPECT_EQ(backend().device_kind().rfind(backend().kind(), 0), 0u) << "the device kind starts with the kind";
  EXPECT_GE(backend().threads(), 1);
  EXPECT_TRUE(backend().supports(DType::f32));
  EXPECT_FALSE(backend().supports(DType::f16));
}

INSTANTIATE_TEST_SUITE_P(Backends, MemoryTest, ::testing::ValuesIn(kernel_params()), kernel_param_name);

}  // namespace graft::testing
