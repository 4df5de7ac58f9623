#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/tensor/tensor.h"

namespace graft {

/// What batch norm keeps in its scratch: two f64 sums a channel for each slot of a parallel reduction, a row count for
/// each slot, and two f32 coefficients a channel for the second pass.
class BatchNormScratch {
 public:
  static std::size_t bytes(std::int64_t channels, int slots);
  BatchNormScratch(const Tensor& scratch, std::int64_t channels, int slots);

  /// f64 [2, channels] of a slot.
  double* sums(std::int64_t slot) const { return sums_ + slot * 2 * channels_; }
  /// f64 [slots].
  double* counts() const { return counts_; }
  /// f32 [channels] each.
  float* first_coefficient() const { return coefficients_; }
  float* second_coefficient() const { return coefficients_ + channels_; }

 private:
  std::int64_t channels_;
  double* sums_;
  double* counts_;
  float* coefficients_;
};

/// Mean and sum of squared deviations of every channel of x [..., C], by the merging rule of Chan, Golub and LeVeque
/// 1979: sums()[0] and [1] of slot 0 afterwards. Each slot sums deviations from its own running mean in f32 over a
/// short block and merges blocks in f64, so a mean far larger than the deviation costs no digits.
void batch_norm_statistics(const Tensor& x, int slots, const BatchNormScratch& scratch);

}  // namespace graft
