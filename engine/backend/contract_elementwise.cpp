#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"
#include "engine/base/error.h"

namespace graft {

namespace {

bool is_index_type(DType dtype) { return dtype == DType::i32 || dtype == DType::i64; }

bool castable(const Backend& backend, DType from, DType to) {
  const bool to_floating = is_floating(to) && to != DType::f16 && backend.supports(to);
  const bool from_floating = is_floating(from) && from != DType::f16 && backend.supports(from);
  return (to_floating && (from_floating || from == DType::u8)) || (is_index_type(from) && is_index_type(to));
}

}  // namespace

void check_fill(const Backend& backend, const Tensor& y) {
  const ContractCheck contract("fill", backend);
  contract.given({"y", y});
  contract.that(y.dtype() != DType::f16, "f16 occurs in files only");
}

void check_cast(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("cast", backend);
  contract.given({"x", x});
  contract.given({"y", y});
  contract.is({"y", y}, x.shape(), y.dtype());
  if (!castable(backend, x.dtype(), y.dtype())) [[unlikely]] {
    fail(ErrorKind::failure, "[cast] {} cannot become {} on {}", x.str(), name_of(y.dtype()), backend.device_kind());
  }
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_copy(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("copy", backend);
  contract.given({"x", x});
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_add(const Backend& backend, const Tensor& a, const Tensor& b, const Tensor& y) {
  const ContractCheck contract("add", backend);
  contract.floating({"a", a});
  contract.is({"b", b}, a.shape(), a.dtype());
  contract.is({"y", y}, a.shape(), a.dtype());
  contract.same_or_disjoint({"y", y}, {{"a", a}, {"b", b}});
}

void check_accumulate(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("accumulate", backend);
  contract.floating({"x", x});
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
}

void check_scale(const Backend& backend, const Tensor& x, const Tensor& factor, const Tensor& y) {
  const ContractCheck contract("scale", backend);
  contract.floating({"x", x});
  contract.is({"factor", factor}, {1}, wide_dtype(x.dtype()));
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
  contract.disjoint({"y", y}, {{"factor", factor}});
}

void check_relu_forward(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("relu", backend);
  contract.floating({"x", x});
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
}

void check_relu_backward(const Backend& backend, const Tensor& dy, const Tensor& y, const Tensor& dx) {
  const ContractCheck contract("relu_backward", backend);
  contract.floating({"dy", dy});
  contract.is({"y", y}, dy.shape(), dy.dtype());
  contract.is({"dx", dx}, dy.shape(), dy.dtype());
  contract.same_or_disjoint({"dx", dx}, {{"dy", dy}, {"y", y}});
}

void check_dropout(const Backend& backend, const Tensor& x, const DropoutOptions& options, const Tensor& step,
                   const Tensor& y) {
  const ContractCheck contract("dropout", backend);
  contract.floating({"x", x});
  contract.value(options.p >= 0.0 && options.p < 1.0, "p", options.p, "in [0, 1)");
  contract.is({"step", step}, {1}, DType::i64);
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}});
  contract.disjoint({"y", y}, {{"step", step}});
}

void check_nhwc_to_nchw(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("nhwc_to_nchw", backend);
  contract.rank({"x", x}, 4);
  contract.is({"y", y}, {x.dim(0), x.dim(3), x.dim(1), x.dim(2)}, x.dtype());
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_nchw_to_nhwc(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("nchw_to_nhwc", backend);
  contract.rank({"x", x}, 4);
  contract.is({"y", y}, {x.dim(0), x.dim(2), x.dim(3), x.dim(1)}, x.dtype());
  contract.disjoint({"y", y}, {{"x", x}});
}

void check_normalize_images(const Backend& backend, const Tensor& x, const Tensor& mean, const Tensor& deviation,
                            const Tensor& y) {
  const ContractCheck contract("normalize_images", backend);
  contract.rank({"x", x}, 4);
  contract.is({"x", x}, x.shape(), DType::u8);
  contract.is({"mean", mean}, {x.dim(3)}, DType::f32);
  contract.is({"deviation", deviation}, {x.dim(3)}, DType::f32);
  contract.floating({"y", y});
  contract.is({"y", y}, x.shape(), y.dtype());
  contract.disjoint({"y", y}, {{"x", x}, {"mean", mean}, {"deviation", deviation}});
}

}  // namespace graft
