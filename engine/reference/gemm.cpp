#include "engine/backend/contract.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

void ReferenceBackend::gemm(const Tensor& a, const Tensor& b, const Tensor& bias, const GemmOptions& options,
                            const Tensor& scratch, const Tensor& c) {
  const auto [batch, m, n, k] = check_gemm(*this, a, b, bias, options, scratch, c);
  const std::vector<double> a_values = load(a);
  const std::vector<double> b_values = load(b);
  const std::vector<double> bias_values = load(bias);
  std::vector<double> c_values(static_cast<std::size_t>(c.numel()));
  for (std::int64_t i = 0; i < batch * m * n; ++i) {
    const std::int64_t row = i / n % m;
    const std::int64_t column = i % n;
    const std::int64_t a_first = i / (m * n) * m * k;
    const std::int64_t b_first = i / (m * n) * k * n;
    double sum = bias.defined() ? bias_values[column] : 0.0;
    for (std::int64_t j = 0; j < k; ++j) {
      sum += a_values[a_first + (options.transpose_a ? j * m + row : row * k + j)] *
             b_values[b_first + (options.transpose_b ? column * k + j : j * n + column)];
    }
    c_values[i] = options.relu && sum < 0.0 ? 0.0 : sum;
  }
  store(c_values, c);
}

void ReferenceBackend::sum_rows(const Tensor& x, const Tensor& y) {
  check_sum_rows(*this, x, y);
  const std::vector<double> x_values = load(x);
  std::vector<double> sums(static_cast<std::size_t>(y.numel()));
  for (std::int64_t i = 0; i < x.numel(); ++i) sums[i % y.numel()] += x_values[i];
  store(sums, y);
}

std::size_t ReferenceBackend::gemm_scratch_bytes(const Shape&, const Shape&, DType, DType, const GemmOptions&) {
  return 0;
}

}  // namespace graft
