#include "engine/base/parallel_for.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace graft {

namespace {

/// How often each element was visited, with `threads` OpenMP threads.
std::vector<int> visits(std::int64_t count, std::int64_t grain, int threads) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(threads);
  std::vector<int> counts(static_cast<std::size_t>(count));
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    // Ranges are disjoint: no two threads write one element, which the thread sanitizer would see.
    for (std::int64_t i = begin; i < end; ++i) ++counts[static_cast<std::size_t>(i)];
  });
  omp_set_num_threads(before);
  return counts;
}

}  // namespace

TEST(ParallelFor, CoversEverythingOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    for (const std::int64_t grain : {1, 3, 64, 1000}) {
      for (const std::int64_t count : {0, 1, 2, 63, 64, 65, 1000, 4097}) {
        EXPECT_EQ(visits(count, grain, threads), std::vector<int>(static_cast<std::size_t>(count), 1))
            << count << " elements in grains of " << grain << " on " << threads << " threads";
      }
    }
  }
}

TEST(ParallelFor, RangesBeginAtGrainsAndHoldSomething) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(4);
  std::atomic<bool> aligned = true;
  std::atomic<bool> filled = true;
  parallel_for(1001, 8, [&](std::int64_t begin, std::int64_t end) {
    if (begin % 8 != 0 || (end % 8 != 0 && end != 1001)) aligned = false;
    if (begin >= end) filled = false;
  });
  omp_set_num_threads(before);
  EXPECT_TRUE(aligned);
  EXPECT_TRUE(filled);
}

}  // namespace graft
