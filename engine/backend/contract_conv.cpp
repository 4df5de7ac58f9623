#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"
#include "engine/base/error.h"

namespace graft {

namespace {

void check_window(const ContractCheck& contract, const Window2d& window) {
  const Padding2d& padding = window.padding;
  contract.that(padding.top >= 0 && padding.left >= 0 && padding.bottom >= 0 && padding.right >= 0,
                "the padding must not be negative");
}

}  // namespace

void check_conv2d_forward(const Backend& backend, const Tensor& x, const Tensor& w, const Tensor& bias,
                          const Tensor& residual, const Conv2dOptions& options, const Tensor& scratch,
                          const Tensor& y) {
  const ContractCheck contract("conv2d", backend);
  contract.floating({"x", x});
  contract.given({"w", w});
  check_window(contract, options.window);
  const Shape output = conv2d_output_shape(x.shape(), w.shape(), options);
  contract.is({"w", w}, w.shape(), x.dtype());
  contract.is_if_given({"bias", bias}, {w.dim(0)}, wide_dtype(x.dtype()));
  contract.is({"y", y}, output, x.dtype());
  contract.is_if_given({"residual", residual}, output, x.dtype());
  contract.scratch(scratch);
  if (residual.defined()) contract.same_or_disjoint({"y", y}, {{"residual", residual}});
  contract.disjoint({"y", y}, {{"x", x}, {"w", w}, {"bias", bias}, {"scratch", scratch}});
}

void check_conv2d_backward_data(const Backend& backend, const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                const Tensor& scratch, const Tensor& dx) {
  const ContractCheck contract("conv2d_backward_data", backend);
  contract.floating({"dy", dy});
  contract.given({"w", w});
  contract.given({"dx", dx});
  check_window(contract, options.window);
  const Shape output = conv2d_output_shape(dx.shape(), w.shape(), options);
  contract.is({"dy", dy}, output, dx.dtype());
  contract.is({"w", w}, w.shape(), dx.dtype());
  contract.scratch(scratch);
  contract.disjoint({"dx", dx}, {{"dy", dy}, {"w", w}, {"scratch", scratch}});
}

void check_conv2d_backward_weights(const Backend& backend, const Tensor& x, const Tensor& dy,
                                   const Conv2dOptions& options, const Tensor& scratch, const Tensor& dw,
                                   const Tensor& dbias) {
  const ContractCheck contract("conv2d_backward_weights", backend);
  contract.floating({"x", x});
  contract.given({"dw", dw});
  check_window(contract, options.window);
  const Shape output = conv2d_output_shape(x.shape(), dw.shape(), options);
  contract.is({"dy", dy}, output, x.dtype());
  contract.is({"dw", dw}, dw.shape(), wide_dtype(x.dtype()));
  contract.is_if_given({"dbias", dbias}, {dw.dim(0)}, wide_dtype(x.dtype()));
  contract.scratch(scratch);
  contract.disjoint({"dw", dw}, {{"x", x}, {"dy", dy}, {"dbias", dbias}, {"scratch", scratch}});
  contract.disjoint({"dbias", dbias}, {{"x", x}, {"dy", dy}, {"scratch", scratch}});
}

}  // namespace graft
