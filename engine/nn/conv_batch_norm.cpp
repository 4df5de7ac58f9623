#include "engine/nn/conv_batch_norm.h"

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/ops/activation.h"
#include "engine/ops/conv2d.h"

namespace graft {
namespace {

template <class T>
std::vector<double> values_as(const Tensor& tensor) {
  std::vector<T> values(static_cast<std::size_t>(tensor.numel()));
  tensor.backend().copy_to_host(tensor, values.data());
  return {values.begin(), values.end()};
}

/// A parameter's or statistic's values: f32, or f64 in a network that was converted.
std::vector<double> values_of(const Variable& variable) {
  const Tensor& tensor = variable.value();
  if (tensor.numel() == 0) return {};
  return tensor.dtype() == DType::f64 ? values_as<double>(tensor) : values_as<float>(tensor);
}

template <class T>
void store_as(const std::vector<double>& values, const Tensor& tensor) {
  std::vector<T> rounded;
  rounded.reserve(values.size());
  for (const double value : values) rounded.push_back(static_cast<T>(value));
  tensor.backend().copy_from_host(rounded.data(), tensor);
}

/// A tensor like `like` with these values.
Variable rounded_like(const Variable& like, const Shape& shape, const std::vector<double>& values) {
  const Tensor result = like.backend().empty(shape, like.dtype());
  if (result.numel() > 0) {
    result.dtype() == DType::f64 ? store_as<double>(values, result) : store_as<float>(values, result);
  }
  return Variable(result);
}

}  // namespace

ConvBatchNorm::ConvBatchNorm(const std::string& conv_name, std::shared_ptr<Conv2d> conv, const std::string& norm_name,
                             const BatchNormOptions& options)
    : conv_(add_module(conv_name, std::move(conv))),
      norm_(add_module(
          norm_name, std::make_shared<BatchNorm2d>(conv_->weight().backend(), conv_->config().out_channels, options))) {
  check(!conv_->config().options.relu, "[conv_batch_norm] the convolution {} ends in a ReLU: leave that to {}",
        conv_name, norm_name);
}

Variable ConvBatchNorm::forward(const Variable& x, const ForwardContext& context) { return forward(x, {}, context); }

Variable ConvBatchNorm::forward(const Variable& x, const Variable& residual, const ForwardContext& context) {
  if (!folded_) return norm_->forward(conv_->forward(x, context), residual, context);
  check(!context.training,
        "[fold_batch_norm] this network's batch norms are folded into its convolutions, for inference alone: build it "
        "anew to train it");
  check(changes() == folded_->changes,
        "[fold_batch_norm] parameters or statistics were changed after they were folded: fold again");
  Conv2dOptions options = conv_->options_for(x.shape());
  options.relu = norm_->options().relu;
  const Variable y = conv2d(x, folded_->weight, folded_->bias, residual, options);
  return norm_->options().relu6 ? relu6(y) : y;
}

std::array<std::uint64_t, 6> ConvBatchNorm::changes() const {
  const Variable& bias = conv_->bias();
  return {conv_->weight().changes(), bias.defined() ? bias.changes() : 0, norm_->weight().changes(),
          norm_->bias().changes(),   norm_->running_mean().changes(),     norm_->running_var().changes()};
}

void ConvBatchNorm::fold() {
  const Variable& weight = conv_->weight();
  const Shape& shape = weight.shape();
  std::vector<double> weights = values_of(weight);
  std::vector<double> bias(static_cast<std::size_t>(shape[0]));
  if (conv_->bias().defined()) bias = values_of(conv_->bias());
  const std::vector<double> scale = values_of(norm_->weight());
  const std::vector<double> shift = values_of(norm_->bias());
  const std::vector<double> mean = values_of(norm_->running_mean());
  const std::vector<double> var = values_of(norm_->running_var());
  const std::size_t filter = bias.empty() ? 0 : weights.size() / bias.size();
  for (std::size_t o = 0; o < bias.size(); ++o) {
    const double factor = scale[o] / std::sqrt(var[o] + norm_->options().eps);
    for (std::size_t i = o * filter; i < (o + 1) * filter; ++i) weights[i] *= factor;
    bias[o] = factor * (bias[o] - mean[o]) + shift[o];
  }
  folded_ = Folded{rounded_like(weight, shape, weights), rounded_like(weight, {shape[0]}, bias), changes()};
}

int fold_batch_norm(Module& network) {
  network.set_frozen(true);
  int pairs = 0;
  network.for_each_module([&](const std::string&, Module& module) {
    auto* pair = dynamic_cast<ConvBatchNorm*>(&module);
    if (pair == nullptr) return;
    pair->fold();
    ++pairs;
  });
  return pairs;
}

}  // namespace graft
