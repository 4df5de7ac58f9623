#include "tests/backend/values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace graft::testing {

namespace {

template <class T>
std::vector<double> widened(const Tensor& tensor) {
  std::vector<T> host(static_cast<std::size_t>(tensor.numel()));
  tensor.backend().copy_to_host(tensor, host.data());
  std::vector<double> result;
  for (const T value : host) {
    if constexpr (std::is_same_v<T, bfloat16>) {
      result.push_back(static_cast<double>(static_cast<float>(value)));
    } else {
      result.push_back(static_cast<double>(value));
    }
  }
  return result;
}

template <class T>
void narrowed(const std::vector<double>& values, const Tensor& tensor) {
  std::vector<T> host;
  for (const double value : values) {
    if constexpr (std::is_same_v<T, bfloat16>) {
      host.push_back(bfloat16(static_cast<float>(value)));
    } else {
      host.push_back(static_cast<T>(value));
    }
  }
  tensor.backend().copy_from_host(host.data(), tensor);
}

/// How far apart two values are; infinite if only one is NaN or infinite, 0 if they agree in that.
double distance(double tested, double exact) {
  if (std::isnan(tested) && std::isnan(exact)) return 0.0;
  if (tested == exact) return 0.0;
  const double difference = std::abs(tested - exact);
  return std::isnan(difference) ? INFINITY : difference;
}

}  // namespace

double roundoff(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return kF32Roundoff;
    case DType::bf16:
      return 0x1p-8;
    case DType::f64:
      return 0x1p-53;
    default:
      return 0.0;
  }
}

std::vector<double> values_of(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::f32:
      return widened<float>(tensor);
    case DType::bf16:
      return widened<bfloat16>(tensor);
    case DType::f64:
      return widened<double>(tensor);
    case DType::i64:
      return widened<std::int64_t>(tensor);
    case DType::i32:
      return widened<std::int32_t>(tensor);
    case DType::u8:
      return widened<std::uint8_t>(tensor);
    case DType::f16:
      break;
  }
  throw std::logic_error("f16 has no values");
}

void set_values(const Tensor& tensor, const std::vector<double>& values) {
  ASSERT_EQ(static_cast<std::int64_t>(values.size()), tensor.numel());
  switch (tensor.dtype()) {
    case DType::f32:
      return narrowed<float>(values, tensor);
    case DType::bf16:
      return narrowed<bfloat16>(values, tensor);
    case DType::f64:
      return narrowed<double>(values, tensor);
    case DType::i64:
      return narrowed<std::int64_t>(values, tensor);
    case DType::i32:
      return narrowed<std::int32_t>(values, tensor);
    case DType::u8:
      return narrowed<std::uint8_t>(values, tensor);
    case DType::f16:
      break;
  }
  throw std::logic_error("f16 has no values");
}

double largest(const std::vector<double>& values) {
  double result = 0.0;
  for (const double value : values) result = std::max(result, std::abs(value));
  return result;
}

std::vector<std::uint8_t> bytes_of(const Tensor& tensor) {
  std::vector<std::uint8_t> host(tensor.nbytes());
  tensor.backend().copy_to_host(tensor, host.data());
  return host;
}

void expect_close(const std::string& what, const Pair& result, const std::vector<double>& computing) {
  const std::vector<double> tested = values_of(result.tested);
  const std::vector<double> exact = values_of(result.exact);
  ASSERT_EQ(tested.size(), exact.size()) << what;
  ASSERT_EQ(computing.size(), exact.size()) << what;
  const double rounding = roundoff(result.tested.dtype());
  std::size_t worst = 0;
  std::size_t wrong = 0;
  double worst_excess = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double finite = std::isfinite(exact[i]) ? std::abs(exact[i]) : 0.0;
    const double allowed = computing[i] + rounding * (finite + computing[i]);
    const double excess = distance(tested[i], exact[i]) - allowed;
    // A bound that is NaN must fail, hence the negation.
    if (!(excess <= 0.0)) ++wrong;
    if (!(excess <= worst_excess)) {
      worst_excess = excess;
      worst = i;
    }
  }
  EXPECT_EQ(wrong, 0u) << what << " " << result.tested.str() << ": worst element " << worst << " is " << tested[worst]
                       << " instead of " << exact[worst] << ", off by " << distance(tested[worst], exact[worst])
                       << " where " << computing[worst] << " is allowed before rounding";
}

void expect_close(const std::string& what, const Pair& result, double computing) {
  expect_close(what, result, std::vector<double>(static_cast<std::size_t>(result.exact.numel()), computing));
}

void expect_rounded(const std::string& what, const Pair& result) {
  const Tensor rounded = result.exact.backend().empty(result.exact.shape(), result.tested.dtype());
  set_values(rounded, values_of(result.exact));
  const std::vector<double> exact = values_of(rounded);
  const std::vector<double> tested = values_of(result.tested);
  ASSERT_EQ(tested.size(), exact.size()) << what;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    ASSERT_EQ(distance(tested[i], exact[i]), 0.0)
        << what << " " << result.tested.str() << ": element " << i << " is " << tested[i] << " instead of " << exact[i];
  }
}

std::vector<double> times(double factor, std::vector<double> values) {
  for (double& value : values) value *= factor;
  return values;
}

}  // namespace graft::testing
