#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"
#include "engine/base/error.h"

namespace graft {

GemmExtents gemm_extents(const Shape& a, const Shape& b, const GemmOptions& options) {
  const bool ranks_fit = a.rank() == b.rank() && (a.rank() == 2 || a.rank() == 3);
  const bool batches_fit = ranks_fit && (a.rank() == 2 || a[0] == b[0]);
  if (!batches_fit || a[options.transpose_a ? -2 : -1] != b[options.transpose_b ? -1 : -2]) [[unlikely]] {
    fail(ErrorKind::failure, "[gemm] a {}{} does not fit b {}{}", a.str(), options.transpose_a ? " transposed" : "",
         b.str(), options.transpose_b ? " transposed" : "");
  }
  return {.batch = a.rank() == 3 ? a[0] : 1,
          .m = a[options.transpose_a ? -1 : -2],
          .n = b[options.transpose_b ? -2 : -1],
          .k = a[options.transpose_a ? -2 : -1]};
}

GemmExtents check_gemm(const Backend& backend, const Tensor& a, const Tensor& b, const Tensor& bias,
                       const GemmOptions& options, const Tensor& scratch, const Tensor& c) {
  const ContractCheck contract("gemm", backend);
  contract.floating({"a", a});
  contract.given({"b", b});
  contract.floating({"c", c});
  const GemmExtents extents = gemm_extents(a.shape(), b.shape(), options);
  contract.is({"b", b}, b.shape(), a.dtype());
  const Shape output = a.rank() == 3 ? Shape{extents.batch, extents.m, extents.n} : Shape{extents.m, extents.n};
  contract.is({"c", c}, output, c.dtype() == DType::f32 ? DType::f32 : a.dtype());
  contract.is_if_given({"bias", bias}, {extents.n}, wide_dtype(a.dtype()));
  contract.scratch(scratch);
  contract.disjoint({"c", c}, {{"a", a}, {"b", b}, {"bias", bias}, {"scratch", scratch}});
  return extents;
}

void check_sum_rows(const Backend& backend, const Tensor& x, const Tensor& y) {
  const ContractCheck contract("sum_rows", backend);
  contract.floating({"x", x});
  contract.that(x.rank() >= 1, "x must have at least one dimension");
  contract.is({"y", y}, {channels_of(x)}, wide_dtype(x.dtype()));
  contract.disjoint({"y", y}, {{"x", x}});
}

}  // namespace graft
