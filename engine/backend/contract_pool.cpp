#include <limits>

#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"

namespace graft {

namespace {

void check_image_extent(const ContractCheck& contract, const Tensor& x) {
  // The saved index is an i32 within one image.
  contract.that(x.rank() == 4 && x.dim(1) * x.dim(2) <= std::numeric_limits<std::int32_t>::max(),
                "an image has more positions than an i32 index can name");
}

void check_no_dilation(const ContractCheck& contract, const Pool2dOptions& options) {
  contract.that(options.window.dilation == Extent2d{1, 1}, "average pooling has no dilation: it must be 1");
}

/// The pair of a small and a large tensor that pooling maps between, whichever of them is the output.
void check_pair(const ContractCheck& contract, NamedTensor image, NamedTensor pooled, const Pool2dOptions& options) {
  contract.floating(image);
  const Padding2d& padding = options.window.padding;
  contract.that(padding.top >= 0 && padding.left >= 0 && padding.bottom >= 0 && padding.right >= 0,
                "the padding must not be negative");
  contract.is(pooled, pool2d_output_shape(image.tensor.shape(), options), image.tensor.dtype());
}

void check_global_pair(const ContractCheck& contract, NamedTensor image, NamedTensor pooled) {
  contract.floating(image);
  contract.rank(image, 4);
  contract.is(pooled, {image.tensor.dim(0), image.tensor.dim(3)}, image.tensor.dtype());
}

void check_adaptive_pair(const ContractCheck& contract, NamedTensor image, NamedTensor pooled) {
  contract.floating(image);
  contract.rank(image, 4);
  contract.rank(pooled, 4);
  const std::int64_t height = pooled.tensor.dim(1);
  const std::int64_t width = pooled.tensor.dim(2);
  contract.that(height >= 1 && width >= 1, "the result must have at least one row and one column");
  contract.is(pooled, {image.tensor.dim(0), height, width, image.tensor.dim(3)}, image.tensor.dtype());
  contract.disjoint(pooled, {image});
}

}  // namespace

void check_max_pool2d_forward(const Backend& backend, const Tensor& x, const Pool2dOptions& options, const Tensor& y,
                              const Tensor& indices) {
  const ContractCheck contract("max_pool2d", backend);
  check_pair(contract, {"x", x}, {"y", y}, options);
  contract.is_if_given({"indices", indices}, y.shape(), DType::i32);
  if (indices.defined()) check_image_extent(contract, x);
  contract.disjoint({"y", y}, {{"x", x}, {"indices", indices}});
  contract.disjoint({"indices", indices}, {{"x", x}});
}

void check_max_pool2d_backward(const Backend& backend, const Tensor& dy, const Tensor& indices,
                               const Pool2dOptions& options, const Tensor& dx) {
  const ContractCheck contract("max_pool2d_backward", backend);
  check_pair(contract, {"dx", dx}, {"dy", dy}, options);
  contract.is({"indices", indices}, dy.shape(), DType::i32);
  check_image_extent(contract, dx);
  contract.disjoint({"dx", dx}, {{"dy", dy}, {"indices", indices}});
}

void check_avg_pool2d_forward(const Backend& backend, const Tensor& x, const Pool2dOptions& options, const Tensor& y) {
  const ContractCheck contract("avg_pool2d", backend);
  check_no_dilation(contract, options);
  check_pair(contract, {"x", x}, {"y", y}, options);
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_avg_pool2d_backward(const Backend& backend, const Tensor& dy, const Pool2dOptions& options,
                               const Tensor& dx) {
  const ContractCheck contract("avg_pool2d_backward", backend);
  check_no_dilation(contract, options);
  check_pair(contract, {"dx", dx}, {"dy", dy}, options);
  contract.disjoint({"dx", dx}, {{"dy", dy}});
}

void check_global_avg_pool_forward(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("global_avg_pool", backend);
  check_global_pair(contract, {"x", x}, {"y", y});
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_global_avg_pool_backward(const Backend& backend, const Tensor& dy, const Tensor& dx) {
  const ContractCheck contract("global_avg_pool_backward", backend);
  check_global_pair(contract, {"dx", dx}, {"dy", dy});
  contract.disjoint({"dx", dx}, {{"dy", dy}});
}

void check_adaptive_avg_pool2d_forward(const Backend& backend, const Tensor& x, const Tensor& y) {
  check_adaptive_pair(ContractCheck("adaptive_avg_pool2d", backend), {"x", x}, {"y", y});
}

void check_adaptive_avg_pool2d_backward(const Backend& backend, const Tensor& dy, const Tensor& dx) {
  check_adaptive_pair(ContractCheck("adaptive_avg_pool2d_backward", backend), {"dx", dx}, {"dy", dy});
}

}  // namespace graft
