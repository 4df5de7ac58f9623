#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/dtype.h"
#include "engine/base/philox.h"
#include "tests/cuda/device_array.h"

namespace graft::cuda::testing {

// Products without rounding: factors are multiples of 1/8 up to 1 in magnitude, which bf16 and tf32 hold, so that sums
// of up to 2^17 products are exact in f32 in any order, and a result must be equal to the bit.

inline std::vector<double> exact_values(std::int64_t count, std::uint64_t seed) {
  const RandomStream random{seed, stream_of("exact values")};
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back((static_cast<double>(random.below(0, static_cast<std::uint64_t>(i), 17)) - 8.0) / 8.0);
  return values;
}

/// To and from T: float, or bfloat16 as the engine or as kernels call it.
template <class T>
T rounded_to(double value) {
  if constexpr (sizeof(T) == sizeof(bfloat16)) {
    return std::bit_cast<T>(bfloat16(static_cast<float>(value)));
  } else {
    return static_cast<float>(value);
  }
}
template <class T>
float widened(T value) {
  if constexpr (sizeof(T) == sizeof(bfloat16)) {
    return static_cast<float>(std::bit_cast<bfloat16>(value));
  } else {
    return value;
  }
}

/// Device memory with the values rounded once to T, `skip` elements behind a multiple of 16 bytes.
template <class T>
class ExactArray {
 public:
  ExactArray(const Stream& stream, const std::vector<double>& values, std::size_t skip = 0)
      : skip_(skip), array_(stream, elements(values, skip)) {}
  /// Room for `count` results, NaN so far.
  ExactArray(const Stream& stream, std::int64_t count, std::size_t skip = 0)
      : ExactArray(stream, std::vector<double>(static_cast<std::size_t>(count), __builtin_nan("")), skip) {}

  T* data() { return array_.data() + skip_; }
  std::vector<float> values(const Stream& stream) const {
    std::vector<float> result;
    const std::vector<T> all = array_.values(stream);
    for (std::size_t i = skip_; i < all.size(); ++i) result.push_back(widened(all[i]));
    return result;
  }

 private:
  static std::vector<T> elements(const std::vector<double>& values, std::size_t skip) {
    std::vector<T> result(skip, rounded_to<T>(0.0));
    for (const double value : values) result.push_back(rounded_to<T>(value));
    return result;
  }

  std::size_t skip_;
  DeviceArray<T> array_;
};

/// Each result is the expected sum rounded once to T; the first that is not is named.
template <class T>
void expect_exact(const std::string& what, const std::vector<float>& results, const std::vector<double>& expected) {
  ASSERT_EQ(results.size(), expected.size()) << what;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const float rounded = widened(rounded_to<T>(expected[i]));
    ASSERT_EQ(results[i], rounded) << what << " at " << i << " of " << results.size();
  }
}

}  // namespace graft::cuda::testing
