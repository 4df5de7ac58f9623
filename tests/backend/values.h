#pragma once

#include <string>
#include <vector>

#include "tests/backend/kernel_test.h"

namespace graft::testing {

/// Unit roundoff: the largest relative error of rounding once to nearest. Sums are accumulated in f32 or better.
constexpr double kF32Roundoff = 0x1p-24;
/// The same for any floating dtype; 0 for integers.
double roundoff(DType dtype);

/// A tensor's elements on the host, widened; of any backend and dtype but f16.
std::vector<double> values_of(const Tensor& tensor);
/// Overwrites a tensor, each value rounded once to nearest.
void set_values(const Tensor& tensor, const std::vector<double>& values);
/// max |value|, 0 if there is none.
double largest(const std::vector<double>& values);
/// The tensor's bytes on the host.
std::vector<std::uint8_t> bytes_of(const Tensor& tensor);

/// |tested - exact| <= computing[i] + roundoff of the result's dtype, at every element: `computing` bounds what the
/// arithmetic before the last rounding may be off by. NaN must meet NaN and infinities must be equal. A failure names
/// the worst element and both of its values.
void expect_close(const std::string& what, const Pair& result, const std::vector<double>& computing);
/// The same with one bound for all elements.
void expect_close(const std::string& what, const Pair& result, double computing);
/// Every element equal to the exact one rounded once (any NaN equals any NaN).
void expect_rounded(const std::string& what, const Pair& result);

/// factor * each of `values`: magnitudes times c K eps make a bound.
std::vector<double> times(double factor, std::vector<double> values);

}  // namespace graft::testing
