#include "cuda/ladder/gemm/ladder.h"

#include "tests/cuda/kernels/exact_values.h"
#include "tests/cuda/streams.h"

namespace graft::cuda::testing {

namespace {

template <class T>
void expect_step(const Stream& stream, const NamedGemmStep& step, const GemmLadderExtents& e,
                 const std::vector<double>& a, const std::vector<double>& b, const std::vector<double>& expected) {
  ExactArray<T> device_a(stream, a);
  ExactArray<T> device_b(stream, b);
  ExactArray<T> c(stream, std::int64_t{e.m} * e.n);
  step.run(stream, e, device_a.data(), device_b.data(), c.data());
  expect_exact<T>(step.name, c.values(stream), expected);
}

std::vector<double> product_of(const GemmLadderExtents& e, const std::vector<double>& a, const std::vector<double>& b) {
  const auto columns = static_cast<std::size_t>(e.n);
  const auto depths = static_cast<std::size_t>(e.k);
  std::vector<double> c(static_cast<std::size_t>(e.m) * columns);
  for (std::size_t m = 0; m < static_cast<std::size_t>(e.m); ++m) {
    for (std::size_t k = 0; k < depths; ++k) {
      for (std::size_t n = 0; n < columns; ++n) c[m * columns + n] += a[m * depths + k] * b[k * columns + n];
    }
  }
  return c;
}

}  // namespace

TEST(GemmLadder, EveryStepIsExactInEveryThreadOrder) {
  for (const GemmLadderExtents& e : {GemmLadderExtents{128, 256, 64}, GemmLadderExtents{256, 128, 320}}) {
    const std::vector<double> a = exact_values(std::int64_t{e.m} * e.k, 1);
    const std::vector<double> b = exact_values(std::int64_t{e.k} * e.n, 2);
    const std::vector<double> expected = product_of(e, a, b);
    for_each_stream([&](const Stream& stream) {
      for (const NamedGemmStep& step : kGemmLadder) {
        if (step.dtype == DType::bf16) {
          expect_step<bfloat16>(stream, step, e, a, b, expected);
        } else {
          expect_step<float>(stream, step, e, a, b, expected);
        }
      }
    });
  }
}

}  // namespace graft::cuda::testing
