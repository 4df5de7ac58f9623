#include "engine/backend/contract.h"
#include "engine/backend/contract_check.h"
#include "engine/base/error.h"

namespace graft {

namespace {

/// One tensor a parameter under one name: gradients, velocities, moments.
struct NamedGroup {
  const char* name;
  std::span<const Tensor> tensors;
};

void check_length(const ContractCheck& contract, NamedGroup group, std::size_t count) {
  if (group.tensors.size() != count) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} has {} tensors for {} parameters", contract.operation(), group.name,
         group.tensors.size(), count);
  }
}

void check_dtype(const ContractCheck& contract, NamedTensor t) {
  contract.floating(t);
  contract.that(t.tensor.dtype() != DType::bf16, "parameters, gradients and state are f32: cast bf16 ones");
}

/// Every tensor of `others` fits its parameter.
void check_groups(const ContractCheck& contract, std::span<const Tensor> parameters,
                  std::initializer_list<NamedGroup> others) {
  for (const NamedGroup& group : others) check_length(contract, group, parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    check_dtype(contract, {"parameters", parameters[i]});
    for (const NamedGroup& group : others) {
      contract.is({group.name, group.tensors[i]}, parameters[i].shape(), parameters[i].dtype());
      contract.disjoint({"parameters", parameters[i]}, {{group.name, group.tensors[i]}});
    }
  }
}

DType group_dtype(std::span<const Tensor> tensors, const Tensor& otherwise) {
  return tensors.empty() ? otherwise.dtype() : tensors.front().dtype();
}

void check_lr(const ContractCheck& contract, std::span<const Tensor> parameters, const Tensor& lr,
              const Tensor& gradient_scale) {
  const DType dtype = group_dtype(parameters, lr);
  contract.is({"lr", lr}, {1}, dtype);
  contract.is_if_given({"gradient_scale", gradient_scale}, {1}, dtype);
}

}  // namespace

void check_sgd_step(const Backend& backend, std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                    std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                    const SgdOptions& options) {
  const ContractCheck contract("sgd_step", backend);
  contract.value(options.momentum >= 0.0, "momentum", options.momentum, "at least 0");
  check_groups(contract, parameters, {{"gradients", gradients}});
  if (options.momentum == 0.0) {
    contract.that(velocity.empty(), "velocity must be empty without momentum");
  } else {
    check_groups(contract, parameters, {{"velocity", velocity}});
  }
  check_lr(contract, parameters, lr, gradient_scale);
}

void check_adamw_step(const Backend& backend, std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                      std::span<const Tensor> first_moment, std::span<const Tensor> second_moment, const Tensor& lr,
                      const Tensor& step, const Tensor& gradient_scale, const AdamWOptions& options) {
  const ContractCheck contract("adamw_step", backend);
  contract.value(options.beta1 >= 0.0 && options.beta1 < 1.0, "beta1", options.beta1, "in [0, 1)");
  contract.value(options.beta2 >= 0.0 && options.beta2 < 1.0, "beta2", options.beta2, "in [0, 1)");
  check_groups(contract, parameters,
               {{"gradients", gradients}, {"first_moment", first_moment}, {"second_moment", second_moment}});
  check_lr(contract, parameters, lr, gradient_scale);
  contract.is({"step", step}, {1}, DType::i64);
}

void check_clip_scale(const Backend& backend, std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                      const Tensor& scale, const Tensor& norm) {
  const ContractCheck contract("clip_scale", backend);
  contract.value(max_norm >= 0.0, "max_norm", max_norm, "at least 0");
  contract.given({"scale", scale});
  const DType dtype = group_dtype(gradients, scale);
  for (const Tensor& gradient : gradients) {
    check_dtype(contract, {"gradients", gradient});
    contract.is({"gradients", gradient}, gradient.shape(), dtype);
    contract.disjoint({"scale", scale}, {{"gradients", gradient}});
    contract.disjoint({"norm", norm}, {{"gradients", gradient}});
  }
  contract.is({"scale", scale}, {1}, dtype);
  contract.is({"norm", norm}, {1}, dtype);
  contract.scratch(scratch);
  contract.disjoint({"scale", scale}, {{"norm", norm}, {"scratch", scratch}});
  contract.disjoint({"norm", norm}, {{"scratch", scratch}});
}

void check_advance(const Backend& backend, const Tensor& counter) {
  const ContractCheck contract("advance", backend);
  contract.is({"counter", counter}, {1}, DType::i64);
}

}  // namespace graft
