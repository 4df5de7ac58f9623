#pragma once

#include <cstdint>

#include "engine/backend/contract_check.h"
#include "engine/tensor/tensor.h"

namespace graft {

struct LrnOptions {
  std::int64_t size = 5;  ///< channels of a window, 1 to 255
  double alpha = 1e-4;
  double beta = 0.75;
  double k = 1.0;

  /// Channels of a window before and after its own; of an even size the larger half is before, as in PyTorch.
  std::int64_t before() const { return size / 2; }
  std::int64_t after() const { return (size - 1) / 2; }
};

/// Contracts of local response normalisation across channels, the last dimension (Krizhevsky et al. 2012), as PyTorch
/// and Caffe (ACROSS_CHANNELS) define it: y = x d^-beta with d = k + alpha / size * the sum of x^2 over the `size`
/// channels around, those outside of [0, C) being 0. d must be positive.
///
/// Tensors [..., C] share one shape and one of f32, bf16 (f64 on the reference). Nothing aliases.
class LocalResponseNormKernels {
 public:
  static constexpr std::int64_t kMostLrnChannels = 255;

  virtual ~LocalResponseNormKernels() = default;

  virtual void local_response_norm_forward(const Tensor& x, const LrnOptions& options, const Tensor& y) = 0;
  /// dx[c] = dy[c] d[c]^-beta - 2 alpha beta / size x[c] times the sum of dy[j] x[j] d[j]^(-beta - 1) over the channels
  /// j whose windows hold c. d is computed again, not saved.
  virtual void local_response_norm_backward(const Tensor& dy, const Tensor& x, const LrnOptions& options,
                                            const Tensor& dx) = 0;
};

/// The contract of local_response_norm as a check: `from` and `to` are x and y, or dy and dx.
inline void check_local_response_norm(const char* operation, const Backend& backend, NamedTensor from, const Tensor& x,
                                      const LrnOptions& options, NamedTensor to) {
  const ContractCheck contract(operation, backend);
  contract.floating({"x", x});
  contract.that(x.rank() >= 1, "a tensor of rank 0 has no channels");
  contract.value(options.size >= 1 && options.size <= LocalResponseNormKernels::kMostLrnChannels, "size",
                 static_cast<double>(options.size), "from 1 to 255");
  contract.value(options.alpha >= 0.0, "alpha", options.alpha, "at least 0");
  contract.value(options.beta >= 0.0, "beta", options.beta, "at least 0");
  contract.value(options.k > 0.0, "k", options.k, "above 0");
  contract.is(from, x.shape(), x.dtype());
  contract.is(to, x.shape(), x.dtype());
  contract.disjoint(to, {from, {"x", x}});
}

}  // namespace graft
