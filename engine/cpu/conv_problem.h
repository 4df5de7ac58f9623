#pragma once

#include <cstdint>
#include <string>

#include "engine/backend/conv.h"
#include "engine/base/dtype.h"
#include "engine/base/shape.h"

namespace graft {

enum class ConvKind : std::uint8_t { forward, backward_data, backward_weights };

/// Where the tensor lies that a forward convolution adds to its sums.
enum class ConvResidual : std::uint8_t { none, apart, in_place };

/// One convolution as an implementation sees it: what is computed, on which extents, in which dtype.
struct ConvProblem {
  ConvKind kind = ConvKind::forward;
  DType dtype = DType::f32;
  Shape x;  ///< [N, H, W, C]
  Shape w;  ///< [O, KH, KW, C / groups]
  Shape y;  ///< [N, OH, OW, O]
  Conv2dOptions options{};
  bool bias = false;  ///< forward: added; backward_weights: dbias is wanted
  ConvResidual residual = ConvResidual::none;

  std::int64_t batch() const { return x[0]; }
  std::int64_t in_channels() const { return x[3]; }
  std::int64_t out_channels() const { return w[0]; }
  /// True iff any extent is 0: nothing is left to multiply.
  bool empty() const { return x.numel() == 0 || w.numel() == 0 || y.numel() == 0; }
  /// Multiplications and additions by the definition, 2 per tap.
  double flops() const {
    const std::int64_t taps = w[1] * w[2] * w[3];
    return 2.0 * static_cast<double>(y.numel()) * static_cast<double>(taps);
  }
  /// "forward f32 x [..] w [..] stride 1 1 ...", for messages.
  std::string str() const;
};

}  // namespace graft
