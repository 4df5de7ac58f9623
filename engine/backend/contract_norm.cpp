#include <utility>

#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"

namespace graft {

namespace {

/// What all batch-norm kernels share: x floating with channels, and its [C] companions.
void check_input(const ContractCheck& contract, const Tensor& x, std::initializer_list<NamedTensor> per_channel) {
  contract.floating({"x", x});
  contract.that(x.rank() >= 1, "x must have at least one dimension, its last the channels");
  for (const NamedTensor& t : per_channel) contract.is(t, {channels_of(x)}, wide_dtype(x.dtype()));
}

void check_options(const ContractCheck& contract, const BatchNormOptions& options) {
  contract.value(options.eps >= 0.0, "eps", options.eps, "at least 0");
  contract.value(options.momentum >= 0.0 && options.momentum <= 1.0, "momentum", options.momentum, "in [0, 1]");
  contract.that(!(options.relu && options.relu6), "relu and relu6 exclude each other");
}

struct Gradients {
  const Tensor& dx;
  const Tensor& dresidual;
  const Tensor& dscale;
  const Tensor& dshift;
};

/// What both backward kernels share. `statistics` are the two [C] inputs beside scale.
void check_backward(const ContractCheck& contract, const Tensor& dy, const Tensor& x, const Tensor& y,
                    const Tensor& scale, std::pair<NamedTensor, NamedTensor> statistics,
                    const BatchNormOptions& options, const Tensor& scratch, const Gradients& gradients) {
  check_input(contract, x, {{"scale", scale}, statistics.first, statistics.second});
  check_options(contract, options);
  contract.is({"dy", dy}, x.shape(), x.dtype());
  contract.that(y.defined() == options.rectifies(), "y must be given with relu or relu6, and only then");
  contract.is_if_given({"y", y}, x.shape(), x.dtype());
  contract.is_if_given({"dx", gradients.dx}, x.shape(), x.dtype());
  contract.is_if_given({"dresidual", gradients.dresidual}, x.shape(), x.dtype());
  contract.both_or_neither({"dscale", gradients.dscale}, {"dshift", gradients.dshift});
  contract.is_if_given({"dscale", gradients.dscale}, {channels_of(x)}, wide_dtype(x.dtype()));
  contract.is_if_given({"dshift", gradients.dshift}, {channels_of(x)}, wide_dtype(x.dtype()));
  contract.scratch(scratch);

  contract.same_or_disjoint({"dx", gradients.dx}, {{"dy", dy}});
  contract.disjoint({"dx", gradients.dx}, {{"x", x}, {"y", y}, {"dresidual", gradients.dresidual}});
  contract.disjoint({"dresidual", gradients.dresidual}, {{"dy", dy}, {"x", x}, {"y", y}});
  for (const NamedTensor& output : {NamedTensor{"dscale", gradients.dscale}, {"dshift", gradients.dshift}}) {
    contract.disjoint(output, {{"dy", dy}, {"x", x}, {"y", y}, {"scale", scale}, statistics.first, statistics.second});
  }
}

}  // namespace

void check_batch_norm_train(const Backend& backend, const Tensor& x, const Tensor& residual, const Tensor& scale,
                            const Tensor& shift, const BatchNormOptions& options, const Tensor& running_mean,
                            const Tensor& running_var, const Tensor& scratch, const Tensor& y, const Tensor& mean,
                            const Tensor& inverse_deviation) {
  const ContractCheck contract("batch_norm_train", backend);
  check_input(contract, x,
              {{"scale", scale}, {"shift", shift}, {"mean", mean}, {"inverse_deviation", inverse_deviation}});
  check_options(contract, options);
  contract.is_if_given({"residual", residual}, x.shape(), x.dtype());
  contract.both_or_neither({"running_mean", running_mean}, {"running_var", running_var});
  contract.is_if_given({"running_mean", running_mean}, {channels_of(x)}, wide_dtype(x.dtype()));
  contract.is_if_given({"running_var", running_var}, {channels_of(x)}, wide_dtype(x.dtype()));
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.scratch(scratch);
  contract.same_or_disjoint({"y", y}, {{"x", x}, {"residual", residual}});
  for (const NamedTensor& output : {NamedTensor{"mean", mean}, {"inverse_deviation", inverse_deviation}}) {
    contract.disjoint(output, {{"x", x},
                               {"y", y},
                               {"scale", scale},
                               {"shift", shift},
                               {"running_mean", running_mean},
                               {"running_var", running_var}});
  }
}

void check_batch_norm_eval(const Backend& backend, const Tensor& x, const Tensor& residual, const Tensor& scale,
                           const Tensor& shift, const Tensor& mean, const Tensor& var, const BatchNormOptions& options,
                           const Tensor& y) {
  const ContractCheck contract("batch_norm_eval", backend);
  check_input(contract, x, {{"scale", scale}, {"shift", shift}, {"mean", mean}, {"var", var}});
  check_options(contract, options);
  contract.is_if_given({"residual", residual}, x.shape(), x.dtype());
  contract.is({"y", y}, x.shape(), x.dtype());
  contract.same_or_disjoint({"y", y}, {{"x", x}, {"residual", residual}});
}

void check_batch_norm_train_backward(const Backend& backend, const Tensor& dy, const Tensor& x, const Tensor& y,
                                     const Tensor& scale, const Tensor& mean, const Tensor& inverse_deviation,
                                     const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                     const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift) {
  const ContractCheck contract("batch_norm_train_backward", backend);
  contract.given({"dx", dx});
  check_backward(contract, dy, x, y, scale, {{"mean", mean}, {"inverse_deviation", inverse_deviation}}, options,
                 scratch, {dx, dresidual, dscale, dshift});
}

void check_batch_norm_eval_backward(const Backend& backend, const Tensor& dy, const Tensor& x, const Tensor& y,
                                    const Tensor& scale, const Tensor& mean, const Tensor& var,
                                    const BatchNormOptions& options, const Tensor& scratch, const Tensor& dx,
                                    const Tensor& dresidual, const Tensor& dscale, const Tensor& dshift) {
  const ContractCheck contract("batch_norm_eval_backward", backend);
  check_backward(contract, dy, x, y, scale, {{"mean", mean}, {"var", var}}, options, scratch,
                 {dx, dresidual, dscale, dshift});
}

}  // namespace graft
