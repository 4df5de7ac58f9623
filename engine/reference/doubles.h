#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor/tensor.h"

namespace graft {

/// The elements of a tensor in host memory, of any dtype but f16, widened to double; empty if the tensor is undefined.
/// i64 beyond 2^53 would be rounded: labels, counters and indices are below.
std::vector<double> load(const Tensor& tensor);

/// Overwrites the tensor with `values`, each rounded once to its dtype (integers: cut off). Does nothing if the tensor
/// is undefined.
void store(const std::vector<double>& values, const Tensor& tensor);

/// Element `offset` of an image array [N, H, W, C].
struct ImageLayout {
  std::int64_t n = 0;
  std::int64_t h = 0;
  std::int64_t w = 0;
  std::int64_t c = 0;

  explicit ImageLayout(const Shape& shape) : n(shape[0]), h(shape[1]), w(shape[2]), c(shape[3]) {}
  /// Where channel 0 of position (in, ih, iw) stands.
  std::int64_t at(std::int64_t in, std::int64_t ih, std::int64_t iw) const { return ((in * h + ih) * w + iw) * c; }
};

}  // namespace graft
