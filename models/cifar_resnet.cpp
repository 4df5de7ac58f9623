#include "models/cifar_resnet.h"

#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/sequential.h"
#include "engine/ops/global_avg_pool.h"

namespace graft {
namespace {

constexpr std::int64_t kStemChannels = 16;
constexpr int kLayers = 3;

class Stem final : public Module {
 public:
  Stem(Backend& backend, std::int64_t in_channels) {
    auto conv = residual_conv(backend, in_channels, kStemChannels, 3, 1);
    conv1_ = add_module(
        "", std::make_shared<ConvBatchNorm>("conv1", std::move(conv), "bn1", BatchNormOptions{.relu = true}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override { return conv1_->forward(x, context); }

 private:
  std::shared_ptr<ConvBatchNorm> conv1_;
};

class CifarResNet final : public Backbone {
 public:
  CifarResNet(Backend& backend, int blocks, ShortcutOption shortcut, const BackboneOptions& options) {
    add_stage("stem", "", std::make_shared<Stem>(backend, options.in_channels));
    std::int64_t channels = kStemChannels;
    LinearDepthRule depth(options.drop_path, kLayers * blocks - 1);
    for (int i = 0; i < kLayers; ++i) {
      const std::int64_t width = kStemChannels << i;
      const std::string name = "layer" + std::to_string(i + 1);
      auto layer = std::make_shared<Sequential>();
      for (int block = 0; block < blocks; ++block) {
        const ResidualBlockConfig config{.in_channels = channels,
                                         .width = width,
                                         .stride = i > 0 && block == 0 ? 2 : 1,
                                         .shortcut = shortcut,
                                         .shortcut_name = "shortcut",
                                         .depth = depth.next(name + "." + std::to_string(block))};
        layer->add(std::make_shared<BasicBlock>(backend, config));
        channels = width;
      }
      add_stage_of_blocks(name, name, layer);
    }
    dropout_ = add_module("", std::make_shared<Dropout>(options.dropout.value_or(0.0), "linear"));
    linear_ = add_module("linear", std::make_shared<Linear>(backend, LinearConfig{.in_features = channels,
                                                                                  .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return linear_->forward(dropout_->forward(global_avg_pool(x), context), context);
  }

 private:
  std::shared_ptr<Dropout> dropout_;
  std::shared_ptr<Linear> linear_;
};

}  // namespace

std::shared_ptr<Backbone> make_cifar_resnet(Backend& backend, int depth, ShortcutOption shortcut,
                                            const BackboneOptions& options) {
  if (depth < 8 || depth % 6 != 2) {
    fail(ErrorKind::usage, "[cifar_resnet] depth {} is not 6 n + 2; take 20, 32, 44, 56 or 110", depth);
  }
  return std::make_shared<CifarResNet>(backend, (depth - 2) / 6, shortcut, options);
}

}  // namespace graft
