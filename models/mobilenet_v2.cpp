#include "models/mobilenet_v2.h"

#include <fmt/core.h>

#include <string>

#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/sequential.h"
#include "engine/ops/global_avg_pool.h"
#include "models/residual_sum.h"

namespace graft {
namespace {

constexpr std::int64_t kStemChannels = 32;
constexpr std::int64_t kLastChannels = 1280;

struct BlockRow {
  std::int64_t expansion, channels, count, stride;
};
constexpr BlockRow kBlocks[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};

struct ConvRow {
  std::int64_t in_channels, out_channels, kernel, stride, groups;
};

std::shared_ptr<Conv2d> make_conv(Backend& backend, const ConvRow& row) {
  const Window2d window{.stride = {row.stride, row.stride}, .padding = Padding2d::same(row.kernel / 2)};
  return std::make_shared<Conv2d>(backend, Conv2dConfig{.in_channels = row.in_channels,
                                                        .out_channels = row.out_channels,
                                                        .kernel = {row.kernel, row.kernel},
                                                        .options = {.window = window, .groups = row.groups},
                                                        .bias = false});
}

/// Convolution, batch norm and ReLU6: parameters "0" and "1".
std::shared_ptr<ConvBatchNorm> conv_norm_relu6(Backend& backend, const ConvRow& row) {
  return std::make_shared<ConvBatchNorm>("0", make_conv(backend, row), "1", BatchNormOptions{.relu6 = true});
}

/// 1x1 convolution to `expansion` times the channels (none for 1), depthwise 3x3, 1x1 back without activation; the
/// input is added where shapes allow. Parameters "conv".
class InvertedResidual final : public Module {
 public:
  InvertedResidual(Backend& backend, std::int64_t in_channels, const BlockRow& row, std::int64_t stride,
                   const StochasticDepth& depth)
      : residual_(stride == 1 && in_channels == row.channels) {
    const std::int64_t inner = in_channels * row.expansion;
    auto layers = std::make_shared<Sequential>();
    if (row.expansion != 1) layers->add(conv_norm_relu6(backend, {in_channels, inner, 1, 1, 1}));
    layers->add(conv_norm_relu6(backend, {inner, inner, 3, stride, inner}));
    convs_ = add_module("conv", layers);
    const std::size_t place = layers->size();
    last_ = add_module(
        "", std::make_shared<ResidualSum>(make_conv(backend, {inner, row.channels, 1, 1, 1}),
                                          ResidualSumConfig{.conv_name = fmt::format("conv.{}", place),
                                                            .norm_name = fmt::format("conv.{}", place + 1),
                                                            .depth = residual_ ? depth : StochasticDepth{}}));
  }
  /// The last batch norm takes the sum with it.
  Variable forward(const Variable& x, const ForwardContext& context) override {
    return last_->forward(convs_->forward(x, context), residual_ ? x : Variable{}, context);
  }

 private:
  bool residual_;
  std::shared_ptr<Sequential> convs_;
  std::shared_ptr<ResidualSum> last_;
};

class MobileNetV2 final : public Backbone {
 public:
  MobileNetV2(Backend& backend, const BackboneOptions& options) {
    add(conv_norm_relu6(backend, {options.in_channels, kStemChannels, 3, 2, 1}));
    std::int64_t channels = kStemChannels;
    int blocks = 0;
    for (const BlockRow& row : kBlocks) blocks += static_cast<int>(row.count);
    LinearDepthRule depth(options.drop_path, blocks);
    for (const BlockRow& row : kBlocks) {
      for (std::int64_t i = 0; i < row.count; ++i) {
        add(std::make_shared<InvertedResidual>(backend, channels, row, i == 0 ? row.stride : 1,
                                               depth.next(fmt::format("features.{}", stage_count()))));
        channels = row.channels;
      }
    }
    add(conv_norm_relu6(backend, {channels, kLastChannels, 1, 1, 1}));
    dropout_ = add_module("classifier.0", std::make_shared<Dropout>(options.dropout.value_or(0.2), "classifier"));
    head_ = add_module(
        "classifier.1",
        std::make_shared<Linear>(backend, LinearConfig{.in_features = kLastChannels, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(dropout_->forward(global_avg_pool(x), context), context);
  }

 private:
  void add(std::shared_ptr<Module> module) {
    const std::string name = "features." + std::to_string(stage_count());
    add_stage(name, name, std::move(module));
  }

  std::shared_ptr<Dropout> dropout_;
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_mobilenet_v2(Backend& backend, const BackboneOptions& options) {
  return std::make_shared<MobileNetV2>(backend, options);
}

}  // namespace graft
