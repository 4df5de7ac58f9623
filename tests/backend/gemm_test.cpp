#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

struct GemmCase {
  std::int64_t m, n, k;
  std::int64_t batch = 0;  ///< 0: plain matrices
};

const std::vector<GemmCase> kGemmCases = {
    {1, 1, 1},   {3, 5, 7},     {16, 16, 16}, {17, 33, 65}, {1, 10, 129},   {64, 1, 50},     {37, 10, 512},
    {5, 4, 0},   {0, 4, 3},     {5, 0, 3},    {2, 3, 4, 1}, {7, 9, 11, 3},  {16, 24, 32, 5}, {3, 4, 5, 0},
    {1, 1, 300}, {128, 96, 70}, {4, 4, 0, 2}, {2, 3, 4, 0}, {136, 72, 200}, {40, 64, 1000},  {8, 16, 520, 3},
};

struct GemmProblem {
  Shape a, b, c;
};

GemmProblem problem_of(const GemmCase& c, const GemmOptions& options) {
  const Shape a = options.transpose_a ? Shape{c.k, c.m} : Shape{c.m, c.k};
  const Shape b = options.transpose_b ? Shape{c.n, c.k} : Shape{c.k, c.n};
  if (c.batch == 0) return {a, b, {c.m, c.n}};
  return {{c.batch, a[0], a[1]}, {c.batch, b[0], b[1]}, {c.batch, c.m, c.n}};
}

class GemmTest : public KernelTest {
 protected:
  void compare(const GemmCase& c, const GemmOptions& options, bool with_bias, DType output_dtype) {
    const GemmProblem problem = problem_of(c, options);
    SCOPED_TRACE("a " + problem.a.str() + (options.transpose_a ? "^T" : "") + ", b " + problem.b.str() +
                 (options.transpose_b ? "^T" : "") + (with_bias ? ", bias" : "") + (options.relu ? ", relu" : ""));
    const Pair a = normal(problem.a, dtype());
    const Pair b = normal(problem.b, dtype());
    const Pair bias = with_bias ? normal({c.n}, DType::f32) : Pair{};
    const Pair result = output(problem.c, output_dtype);
    backend().gemm(a.tested, b.tested, bias.tested, options,
                   scratch(backend().gemm_scratch_bytes(problem.a, problem.b, dtype(), output_dtype, options)),
                   result.tested);
    oracle().gemm(a.exact, b.exact, bias.exact, options, {}, result.exact);
    const Tensor magnitude = like(result.exact);
    oracle().gemm(absolute(a.exact), absolute(b.exact), absolute(bias.exact), options, {}, magnitude);
    expect_close("c", result, times(2.0 * static_cast<double>(c.k + 1) * kF32Roundoff, values_of(magnitude)));
  }
};

}  // namespace

TEST_P(GemmTest, EveryTransposeAndSize) {
  for (const GemmCase& c : kGemmCases) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        compare(c, {.transpose_a = transpose_a, .transpose_b = transpose_b}, false, dtype());
      }
    }
  }
}

TEST_P(GemmTest, BiasAndRelu) {
  for (const GemmCase& c : kGemmCases) {
    compare(c, {.transpose_b = true}, true, dtype());
    compare(c, {.transpose_b = true, .relu = true}, true, dtype());
    compare(c, {.transpose_a = true, .relu = true}, false, dtype());
  }
}

TEST_P(GemmTest, OutputInF32) {
  for (const GemmCase& c : kGemmCases) {
    compare(c, {.transpose_a = true}, false, DType::f32);
    compare(c, {.transpose_b = true}, true, DType::f32);
  }
}

TEST_P(GemmTest, SumRows) {
  for (const Shape& shape :
       {Shape{1, 1}, Shape{7}, Shape{129, 33}, Shape{2, 5, 7, 3}, Shape{1000, 1}, Shape{1, 64}, Shape{0, 5},
        Shape{5, 0}, Shape{513, 16}, Shape{4000, 24}, Shape{40, 2056}, Shape{65, 8}}) {
    SCOPED_TRACE(shape.str());
    misalign(shape[-1] == 8);
    const Pair x = normal(shape, dtype());
    const Pair y = output({shape[-1]}, DType::f32);
    backend().sum_rows(x.tested, y.tested);
    oracle().sum_rows(x.exact, y.exact);
    const Tensor magnitude = like(y.exact);
    oracle().sum_rows(absolute(x.exact), magnitude);
    const double rows = shape[-1] == 0 ? 0.0 : static_cast<double>(shape.numel() / shape[-1]);
    expect_close("y", y, times(rows * kF32Roundoff, values_of(magnitude)));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, GemmTest, ::testing::ValuesIn(product_params()), kernel_param_name);

}  // namespace graft::testing
