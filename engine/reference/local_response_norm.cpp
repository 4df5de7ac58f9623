#include "engine/backend/local_response_norm.h"

#include <algorithm>
#include <cmath>

#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

/// body(j) for each channel from c - before to c + after that there is.
template <class Body>
void for_each_neighbour(std::int64_t c, std::int64_t before, std::int64_t after, std::int64_t channels,
                        const Body& body) {
  for (std::int64_t j = std::max<std::int64_t>(0, c - before); j <= std::min(channels - 1, c + after); ++j) body(j);
}

/// d of every element.
std::vector<double> divisors(const std::vector<double>& x, std::int64_t channels, const LrnOptions& options) {
  std::vector<double> result(x.size(), options.k);
  const double share = options.alpha / static_cast<double>(options.size);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % channels;
    const double* row = x.data() + (static_cast<std::int64_t>(i) - c);
    for_each_neighbour(c, options.before(), options.after(), channels,
                       [&](std::int64_t j) { result[i] += share * row[j] * row[j]; });
  }
  return result;
}

}  // namespace

void ReferenceBackend::local_response_norm_forward(const Tensor& x, const LrnOptions& options, const Tensor& y) {
  check_local_response_norm("local_response_norm", *this, {"x", x}, x, options, {"y", y});
  std::vector<double> values = load(x);
  const std::vector<double> d = divisors(values, channels_of(x), options);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= std::pow(d[i], -options.beta);
  store(values, y);
}

void ReferenceBackend::local_response_norm_backward(const Tensor& dy, const Tensor& x, const LrnOptions& options,
                                                    const Tensor& dx) {
  check_local_response_norm("local_response_norm_backward", *this, {"dy", dy}, x, options, {"dx", dx});
  const std::int64_t channels = channels_of(x);
  const std::vector<double> x_values = load(x);
  const std::vector<double> dy_values = load(dy);
  const std::vector<double> d = divisors(x_values, channels, options);
  const double factor = 2.0 * options.alpha * options.beta / static_cast<double>(options.size);
  std::vector<double> dx_values(x_values.size());
  for (std::size_t i = 0; i < dx_values.size(); ++i) {
    const auto c = static_cast<std::int64_t>(i) % channels;
    const std::size_t row = i - static_cast<std::size_t>(c);
    double sum = 0.0;
    // Channel j's window holds c: the windows are turned round.
    for_each_neighbour(c, options.after(), options.before(), channels, [&](std::int64_t j) {
      const std::size_t at = row + static_cast<std::size_t>(j);
      sum += dy_values[at] * x_values[at] * std::pow(d[at], -options.beta - 1.0);
    });
    dx_values[i] = dy_values[i] * std::pow(d[i], -options.beta) - factor * x_values[i] * sum;
  }
  store(dx_values, dx);
}

}  // namespace graft
