// Device code: compiled for the emulated device alone.
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/kernels/device/fast_divisor.cuh"

#include <gtest/gtest.h>

namespace graft::cuda::testing {

namespace {

void expect_divides(int divisor, int dividend) {
  const FastDivisor fast(divisor);
  const int quotient = fast.quotient(dividend);
  ASSERT_EQ(quotient, dividend / divisor) << dividend << " / " << divisor;
  ASSERT_EQ(fast.remainder(dividend, quotient), dividend % divisor) << dividend << " / " << divisor;
}

TEST(FastDivisor, IsDivision) {
  for (int divisor = 1; divisor < 300; ++divisor) {
    for (int dividend = 0; dividend < 3000; ++dividend) expect_divides(divisor, dividend);
  }
}

TEST(FastDivisor, IsDivisionAtTheEnds) {
  constexpr int kMost = 0x7fffffff;
  for (const int divisor : {1, 2, 3, 7, 49, 56, 641, 12544, 65535, 65537, 1 << 30, (1 << 30) + 1, kMost - 1, kMost}) {
    for (int i = 0; i < 1000; ++i) expect_divides(divisor, kMost - i);
    for (int multiple = 1; multiple < 100; ++multiple) {  // multiples and their neighbours, spread over the range
      const int product = static_cast<int>(std::int64_t{kMost / divisor} * multiple / 100) * divisor;
      if (product > 0) expect_divides(divisor, product - 1);
      expect_divides(divisor, product);
    }
  }
}

}  // namespace

}  // namespace graft::cuda::testing
#endif
