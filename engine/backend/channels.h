#pragma once

#include <cstdint>

#include "engine/backend/contract_check.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// Contracts of kernels that join, part and weigh channels, the last dimension.
class ChannelKernels {
 public:
  virtual ~ChannelKernels() = default;

  /// Channels [x_first, x_first + count) of x [..., C1] become channels [y_first, y_first + count) of y [..., C2], byte
  /// for byte, any dtype; the other channels of y stay as they are. Rows, the product of the leading extents, are
  /// equally many. No aliasing.
  virtual void copy_channels(const Tensor& x, std::int64_t x_first, std::int64_t count, const Tensor& y,
                             std::int64_t y_first) = 0;

  /// y[n, h, w, c] = x[n, h, w, c] s[n, c]: the excitation of Hu et al. 2018. x, y [N, H, W, C] and s [N, C] share one
  /// of f32, bf16 (f64 on the reference). y may alias x.
  virtual void scale_channels(const Tensor& x, const Tensor& s, const Tensor& y) = 0;
  /// dx[n, h, w, c] = dy[n, h, w, c] s[n, c] and ds[n, c] = the sum over h and w of dy x, in f32 at least (0 where
  /// there are none), each written where defined, with the dtype of dy. x may be undefined without ds, s without dx.
  /// dx may alias dy or x. What an image's ds comes to does not depend on the others of the batch.
  virtual void scale_channels_backward(const Tensor& dy, const Tensor& x, const Tensor& s, const Tensor& dx,
                                       const Tensor& ds) = 0;
};

/// The contract of copy_channels as a check.
inline void check_copy_channels(const Backend& backend, const Tensor& x, std::int64_t x_first, std::int64_t count,
                                const Tensor& y, std::int64_t y_first) {
  const ContractCheck contract("copy_channels", backend);
  contract.given({"x", x});
  contract.given({"y", y});
  contract.that(x.rank() >= 1 && y.rank() >= 1, "a tensor of rank 0 has no channels");
  contract.is({"y", y}, y.shape(), x.dtype());
  const auto rows = [](const Tensor& t) {
    std::int64_t product = 1;
    for (int i = 0; i + 1 < t.rank(); ++i) product *= t.dim(i);
    return product;
  };
  contract.that(rows(x) == rows(y), "x and y must have equally many rows before the channels");
  contract.value(count >= 0, "count", static_cast<double>(count), "at least 0");
  contract.value(x_first >= 0 && x_first <= channels_of(x) - count, "x_first", static_cast<double>(x_first),
                 "within the channels of x");
  contract.value(y_first >= 0 && y_first <= channels_of(y) - count, "y_first", static_cast<double>(y_first),
                 "within the channels of y");
  contract.disjoint({"y", y}, {{"x", x}});
}

/// The contract of scale_channels as a check.
inline void check_scale_channels(const Backend& backend, const Tensor& x, const Tensor& s, const Tensor& y) {
  const ContractCheck contract("scale_channels", backend);
  contract.floating({"x", x});
  contract.rank({"x", x}, 4);
  contract.is({"s", s}, {x.dim(0), x.dim(3)}, x.dtype());
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
  contract.disjoint({"y", y}, {{"s", s}});
}

/// The contract of scale_channels_backward as a check.
inline void check_scale_channels_backward(const Backend& backend, const Tensor& dy, const Tensor& x, const Tensor& s,
                                          const Tensor& dx, const Tensor& ds) {
  const ContractCheck contract("scale_channels_backward", backend);
  contract.floating({"dy", dy});
  contract.rank({"dy", dy}, 4);
  const Shape per_channel{dy.dim(0), dy.dim(3)};
  contract.that(x.defined() || !ds.defined(), "x must be given with ds");
  contract.that(s.defined() || !dx.defined(), "s must be given with dx");
  contract.is_if_given({"x", x}, dy.shape(), dy.dtype());
  contract.is_if_given({"s", s}, per_channel, dy.dtype());
  contract.is_if_given({"dx", dx}, dy.shape(), dy.dtype());
  contract.is_if_given({"ds", ds}, per_channel, dy.dtype());
  contract.same_or_disjoint({"dx", dx}, {{"dy", dy}, {"x", x}});
  contract.disjoint({"dx", dx}, {{"s", s}, {"ds", ds}});
  contract.disjoint({"ds", ds}, {{"dy", dy}, {"x", x}, {"s", s}});
}

}  // namespace graft
