#include "transfer/comparison_alignment.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/base/error.h"

namespace graft {

double unbiased_hsic(std::span<const double> k, std::span<const double> l, std::int64_t n) {
  check(n >= 4, "[hsic] {} items, at least 4 are needed", n);
  const auto count = static_cast<std::size_t>(n);
  check(k.size() == count * count && l.size() == count * count, "[hsic] matrices of {} and {} numbers for {} items",
        k.size(), l.size(), n);
  std::vector<double> k_rows(count);
  std::vector<double> l_rows(count);
  double product = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      if (i == j) continue;
      k_rows[i] += k[i * count + j];
      l_rows[i] += l[i * count + j];
      product += k[i * count + j] * l[i * count + j];
    }
  }
  double k_sum = 0.0;
  double l_sum = 0.0;
  double rows = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    k_sum += k_rows[i];
    l_sum += l_rows[i];
    rows += k_rows[i] * l_rows[i];
  }
  const auto m = static_cast<double>(n);
  return (product + k_sum * l_sum / ((m - 1.0) * (m - 2.0)) - 2.0 * rows / (m - 2.0)) / (m * (m - 3.0));
}

void MinibatchCka::add(std::span<const double> k, std::span<const double> l, std::int64_t n) {
  both_ += unbiased_hsic(k, l, n);
  first_ += unbiased_hsic(k, k, n);
  second_ += unbiased_hsic(l, l, n);
  ++batches_;
}

std::optional<double> MinibatchCka::value() const {
  if (!(first_ > 0.0) || !(second_ > 0.0)) return std::nullopt;
  return both_ / std::sqrt(first_ * second_);
}

}  // namespace graft
