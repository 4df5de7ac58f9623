#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/kernels/device/bf16.cuh"
#include "engine/base/dtype.h"
#include "engine/base/philox.h"
#include "tests/cuda/emulator/kernel_run.h"

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

inline float widened(float value) { return value; }
inline float widened(bf16 value) { return to_float(value); }

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
    std::vector<T> result(skip, from_float<T>(0.0f));
    for (const double value : values) result.push_back(from_float<T>(static_cast<float>(value)));
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
    const float rounded = widened(from_float<T>(static_cast<float>(expected[i])));
    ASSERT_EQ(results[i], rounded) << what << " at " << i << " of " << results.size();
  }
}

}  // namespace graft::cuda::testing
