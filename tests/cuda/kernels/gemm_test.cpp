#include "cuda/kernels/gemm.h"

#include <algorithm>

#include "tests/cuda/kernels/exact_values.h"
#include "tests/cuda/streams.h"

namespace graft::cuda::testing {

namespace {

/// [rows, columns] of each matrix of the batch, transposed.
std::vector<double> transposed(const std::vector<double>& values, std::int64_t batch, std::int64_t rows,
                               std::int64_t columns) {
  std::vector<double> result(values.size());
  for (std::int64_t z = 0; z < batch; ++z) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t c = 0; c < columns; ++c)
        result[static_cast<std::size_t>((z * columns + c) * rows + r)] =
            values[static_cast<std::size_t>((z * rows + r) * columns + c)];
    }
  }
  return result;
}

struct Matrices {
  std::vector<double> a;  // [batch, m, k]
  std::vector<double> b;  // [batch, k, n]
  std::vector<double> bias;
  std::vector<double> c;  // their product
};

Matrices matrices_of(const GemmProblem& p) {
  Matrices result{exact_values(p.batch * p.m * p.k, 1), exact_values(p.batch * p.k * p.n, 2), exact_values(p.n, 3),
                  std::vector<double>(static_cast<std::size_t>(p.batch * p.m * p.n))};
  for (std::int64_t z = 0; z < p.batch; ++z) {
    for (std::int64_t m = 0; m < p.m; ++m) {
      double* row = &result.c[static_cast<std::size_t>((z * p.m + m) * p.n)];
      for (std::int64_t k = 0; k < p.k; ++k) {
        const double factor = result.a[static_cast<std::size_t>((z * p.m + m) * p.k + k)];
        const double* b = &result.b[static_cast<std::size_t>((z * p.k + k) * p.n)];
        for (std::int64_t n = 0; n < p.n; ++n) row[n] += factor * b[n];
      }
    }
  }
  return result;
}

/// Runs the product with all inputs and c `skip` elements behind a multiple of 16 bytes.
template <class In, class Out>
void expect_product(const Stream& stream, const GemmProblem& p, const Matrices& matrices, std::size_t skip) {
  ExactArray<In> a(stream, p.transpose_a ? transposed(matrices.a, p.batch, p.m, p.k) : matrices.a, skip);
  ExactArray<In> b(stream, p.transpose_b ? transposed(matrices.b, p.batch, p.k, p.n) : matrices.b, skip);
  ExactArray<float> bias(stream, matrices.bias, skip);
  ExactArray<Out> c(stream, p.batch * p.m * p.n, skip);
  ExactArray<float> scratch(stream, static_cast<std::int64_t>(gemm_scratch_bytes(stream.device(), p) / sizeof(float)));
  gemm(stream, p, a.data(), b.data(), p.relu ? bias.data() : nullptr, scratch.data(), c.data());
  std::vector<double> expected = matrices.c;
  if (p.relu) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      expected[i] = std::max(0.0, expected[i] + matrices.bias[i % matrices.bias.size()]);
  }
  expect_exact<Out>("c", c.values(stream), expected);
}

template <class In, class Out>
void expect_products(GemmProblem p, std::size_t skip = 0) {
  const Matrices matrices = matrices_of(p);
  int layouts = 0;
  for_each_stream([&](const Stream& stream) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        p.transpose_a = transpose_a;
        p.transpose_b = transpose_b;
        p.relu = ++layouts % 2 == 0;
        expect_product<In, Out>(stream, p, matrices, skip);
      }
    }
  });
}

/// The kinds of kernels: f32 on CUDA cores, tf32, and bf16 with either result.
void expect_all_kinds(const GemmProblem& extents, std::size_t skip = 0) {
  GemmProblem p = extents;
  expect_products<float, float>(p, skip);
  p.tf32 = true;
  expect_products<float, float>(p, skip);
  p.tf32 = false;
  p.input = DType::bf16;
  expect_products<bfloat16, float>(p, skip);
  p.output = DType::bf16;
  expect_products<bfloat16, bfloat16>(p, skip);
}

TEST(Gemm, TilesOf64) { expect_all_kinds({.m = 72, .n = 136, .k = 264}); }
TEST(Gemm, TilesOf128) { expect_all_kinds({.m = 264, .n = 256, .k = 72}); }
#ifndef GRAFT_CUDA_EMULATED
/// Where a GPU has a hundred multiprocessors the tiles above are of 64 x 64.
TEST(Gemm, TilesOf128OfALargeDevice) { expect_all_kinds({.m = 2056, .n = 2048, .k = 72}); }
#endif
TEST(Gemm, Batches) { expect_all_kinds({.batch = 3, .m = 16, .n = 40, .k = 80}); }
TEST(Gemm, NoRowIsAMultipleOf16Bytes) { expect_all_kinds({.m = 67, .n = 131, .k = 203}); }
TEST(Gemm, NoAddressIsAMultipleOf16Bytes) { expect_all_kinds({.m = 72, .n = 136, .k = 64}, 1); }

TEST(Gemm, CutsALongSum) {
  const GemmProblem p{.m = 24, .n = 40, .k = 1032};
  for_each_stream([&](const Stream& stream) {
    for (const bool tf32 : {false, true}) {
      for (const DType input : {DType::f32, DType::bf16}) {
        GemmProblem kind = p;
        kind.tf32 = tf32 && input == DType::f32;
        kind.input = input;
        EXPECT_GT(gemm_scratch_bytes(stream.device(), kind), 0u) << name_of(input) << (tf32 ? " tf32" : "");
      }
    }
  });
  expect_all_kinds(p);
  expect_all_kinds({.batch = 2, .m = 9, .n = 7, .k = 1001});
}

TEST(Gemm, ASliceGivesTheSameBits) {
  // Not exact ones: sums of 300 normal numbers, whose bits would show another order.
  const RandomStream random{11, stream_of("slices")};
  const auto numbers = [&](std::int64_t count, std::uint64_t step) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i)
      values.push_back(static_cast<double>(random.below(step, static_cast<std::uint64_t>(i), 1 << 20)) / 1e5 - 5.0);
    return values;
  };
  const GemmProblem p{.m = 200, .n = 136, .k = 304, .input = DType::bf16};
  for_each_stream([&](const Stream& stream) {
    std::vector<std::vector<float>> results;
    for (const std::size_t skip : {0, 1}) {
      ExactArray<bfloat16> a(stream, numbers(p.m * p.k, 0), skip);
      ExactArray<bfloat16> b(stream, numbers(p.k * p.n, 1), skip);
      ExactArray<float> c(stream, p.m * p.n);
      ExactArray<float> scratch(stream,
                                static_cast<std::int64_t>(gemm_scratch_bytes(stream.device(), p) / sizeof(float)));
      gemm(stream, p, a.data(), b.data(), nullptr, scratch.data(), c.data());
      results.push_back(c.values(stream));
    }
    EXPECT_EQ(results[0], results[1]);
  });
}

}  // namespace

}  // namespace graft::cuda::testing
