#include <algorithm>

#include "engine/backend/contract.h"
#include "engine/cpu/conv_plan.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/onednn_context.h"

namespace graft {
namespace {

ConvProblem problem_of(ConvKind kind, DType dtype, const Shape& x, const Shape& w, const Conv2dOptions& options,
                       bool bias) {
  ConvProblem problem{kind, dtype, x, w, conv2d_output_shape(x, w, options), options, bias};
  problem.options.relu = options.relu && kind == ConvKind::forward;
  return problem;
}

/// Scratch for the call with or without a bias and a residual: the query does not say which it will be.
std::size_t scratch_bytes(CpuBackend& backend, ConvProblem problem) {
  if (problem.empty()) return 0;
  std::size_t most = 0;
  for (const bool bias : {false, true}) {
    for (const ConvResidual residual : {ConvResidual::none, ConvResidual::apart, ConvResidual::in_place}) {
      if (bias && problem.kind == ConvKind::backward_data) continue;
      if (residual != ConvResidual::none && problem.kind != ConvKind::forward) continue;
      problem.bias = bias;
      problem.residual = residual;
      most = std::max(most, conv_plan(backend.onednn(), problem).scratch_bytes());
    }
  }
  return most;
}

void run(CpuBackend& backend, const char* operation, const ConvProblem& problem, const PlanPointers& pointers,
         const Tensor& scratch) {
  Plan& plan = conv_plan(backend.onednn(), problem);
  check_scratch(operation, backend, scratch, plan.scratch_bytes());
  plan.run(pointers, scratch.raw());
}

/// y = [bias] [+ residual] [then ReLU] for a convolution that sums over nothing.
template <class T>
void forward_of_nothing(const Tensor& bias, const Tensor& residual, bool relu, const Tensor& y) {
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    float value = bias.defined() ? bias.data<float>()[i % y.dim(3)] : 0.0f;
    if (residual.defined()) value += static_cast<float>(residual.data<T>()[i]);
    y.data<T>()[i] = T(relu && value < 0.0f ? 0.0f : value);
  }
}

}  // namespace

void CpuBackend::conv2d_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& residual,
                                const Conv2dOptions& options, const Tensor& scratch, const Tensor& y) {
  check_conv2d_forward(*this, x, w, bias, residual, options, scratch, y);
  enter();
  ConvProblem problem = problem_of(ConvKind::forward, x.dtype(), x.shape(), w.shape(), options, bias.defined());
  if (problem.empty()) {
    const auto fill = y.dtype() == DType::bf16 ? forward_of_nothing<bfloat16> : forward_of_nothing<float>;
    return fill(bias, residual, options.relu, y);
  }
  if (residual.defined()) {
    problem.residual = residual.raw() == y.raw() ? ConvResidual::in_place : ConvResidual::apart;
  }
  run(*this, "conv2d", problem, {x.raw(), w.raw(), bias.raw(), y.raw(), residual.raw()}, scratch);
}

std::size_t CpuBackend::conv2d_forward_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                     const Conv2dOptions& options) {
  enter();
  return scratch_bytes(*this, problem_of(ConvKind::forward, dtype, x, w, options, false));
}

void CpuBackend::conv2d_backward_data(const Tensor& dy, const Tensor& w, const Conv2dOptions& options,
                                      const Tensor& scratch, const Tensor& dx) {
  check_conv2d_backward_data(*this, dy, w, options, scratch, dx);
  enter();
  const ConvProblem problem = problem_of(ConvKind::backward_data, dy.dtype(), dx.shape(), w.shape(), options, false);
  if (problem.empty()) return fill(0.0, dx);
  run(*this, "conv2d_backward_data", problem, {dy.raw(), w.raw(), nullptr, dx.raw()}, scratch);
}

std::size_t CpuBackend::conv2d_backward_data_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                           const Conv2dOptions& options) {
  enter();
  return scratch_bytes(*this, problem_of(ConvKind::backward_data, dtype, x, w, options, false));
}

void CpuBackend::conv2d_backward_weights(const Tensor& x, const Tensor& dy, const Conv2dOptions& options,
                                         const Tensor& scratch, const Tensor& dw, const Tensor& dbias) {
  check_conv2d_backward_weights(*this, x, dy, options, scratch, dw, dbias);
  enter();
  const ConvProblem problem =
      problem_of(ConvKind::backward_weights, x.dtype(), x.shape(), dw.shape(), options, dbias.defined());
  if (problem.empty()) {
    fill(0.0, dw);
    if (dbias.defined()) sum_rows(dy, dbias);
    return;
  }
  run(*this, "conv2d_backward_weights", problem, {x.raw(), dy.raw(), dbias.raw(), dw.raw()}, scratch);
}

std::size_t CpuBackend::conv2d_backward_weights_scratch_bytes(const Shape& x, const Shape& w, DType dtype,
                                                              const Conv2dOptions& options) {
  enter();
  return scratch_bytes(*this, problem_of(ConvKind::backward_weights, dtype, x, w, options, false));
}

}  // namespace graft
