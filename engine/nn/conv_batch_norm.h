#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "engine/nn/batch_norm2d.h"
#include "engine/nn/conv2d.h"

namespace graft {

/// A convolution and the batch norm behind it: y = bn(conv(x)) [+ residual] [then ReLU or ReLU6, as the batch norm's
/// options say].
///
/// For inference the pair folds into one convolution with a bias: with s = weight / sqrt(running_var + eps) of the
/// batch norm, the weights become s w and the bias s (b - running_mean) + the batch norm's bias, computed in f64 and
/// rounded once; residual and ReLU go into the convolution's epilogue.
///
/// A model adopts it by building each such pair as one ConvBatchNorm and registering that as "", which leaves the names
/// of both as they were: add_module("", std::make_shared<ConvBatchNorm>("conv1", conv, "bn1")), and likewise
/// features->add("", ...) in a Sequential. A batch norm before its convolution stays a module of its own and is not
/// folded. fold_batch_norm(network) then does the rest.
class ConvBatchNorm final : public Module {
 public:
  /// The batch norm is made for the convolution's output channels. Throws Error if the convolution ends in a ReLU of
  /// its own.
  ConvBatchNorm(const std::string& conv_name, std::shared_ptr<Conv2d> conv, const std::string& norm_name,
                const BatchNormOptions& options = {});

  /// Once folded, throws Error if context.training, or if a parameter or statistic was changed since.
  Variable forward(const Variable& x, const ForwardContext& context) override;
  /// Adds `residual` (may be undefined) before the activation.
  Variable forward(const Variable& x, const Variable& residual, const ForwardContext& context);

  /// Computes the folded weights and bias from the present parameters and running statistics, which stay as they are.
  void fold();
  bool folded() const { return folded_.has_value(); }

 private:
  /// How often each tensor that goes into the fold was changed; 0 for a bias that is not there.
  std::array<std::uint64_t, 6> changes() const;

  struct Folded {
    Variable weight;
    Variable bias;
    std::array<std::uint64_t, 6> changes;
  };
  std::shared_ptr<Conv2d> conv_;
  std::shared_ptr<BatchNorm2d> norm_;
  std::optional<Folded> folded_;
};

/// Makes `network` an inference-only form of itself: every ConvBatchNorm in it folds, and all parameters are frozen.
/// Names and values of parameters and buffers stay, so that the network can still be exported; build it anew to train
/// it. Returns the number of pairs.
int fold_batch_norm(Module& network);

}  // namespace graft
