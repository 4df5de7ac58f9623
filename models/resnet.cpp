#include "models/resnet.h"

#include <array>
#include <numeric>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/sequential.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool2d.h"
#include "models/residual_block.h"

namespace graft {
namespace {

constexpr std::int64_t kStemChannels = 64;

struct ResNetRow {
  int depth;
  bool bottleneck;
  std::array<int, 4> blocks;
};
constexpr ResNetRow kResNets[] = {{18, false, {2, 2, 2, 2}},
                                  {34, false, {3, 4, 6, 3}},
                                  {50, true, {3, 4, 6, 3}},
                                  {101, true, {3, 4, 23, 3}},
                                  {152, true, {3, 8, 36, 3}}};

const ResNetRow& row_of(int depth) {
  for (const ResNetRow& row : kResNets) {
    if (row.depth == depth) return row;
  }
  fail(ErrorKind::usage, "[resnet] depth {}; there are 18, 34, 50, 101 and 152", depth);
}

class Stem final : public Module {
 public:
  Stem(Backend& backend, std::int64_t in_channels, ResNetStem form) : pool_(form == ResNetStem::imagenet) {
    auto conv = residual_conv(backend, in_channels, kStemChannels, pool_ ? 7 : 3, pool_ ? 2 : 1);
    conv1_ = add_module(
        "", std::make_shared<ConvBatchNorm>("conv1", std::move(conv), "bn1", BatchNormOptions{.relu = true}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    const Variable y = conv1_->forward(x, context);
    if (!pool_) return y;
    return max_pool2d(y, {.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}});
  }

 private:
  bool pool_;
  std::shared_ptr<ConvBatchNorm> conv1_;
};

class ResNet final : public Backbone {
 public:
  ResNet(Backend& backend, const ResNetRow& row, const ResNetConfig& config, const BackboneOptions& options) {
    add_stage("stem", "", std::make_shared<Stem>(backend, options.in_channels, config.stem));
    std::int64_t channels = kStemChannels;
    LinearDepthRule depth(options.drop_path, std::accumulate(row.blocks.begin(), row.blocks.end(), 0) - 1);
    for (std::size_t i = 0; i < row.blocks.size(); ++i) {
      const std::string name = "layer" + std::to_string(i + 1);
      const ResidualBlockConfig first{.in_channels = channels,
                                      .width = 64 << i,
                                      .stride = i == 0 ? 1 : 2,
                                      .groups = config.groups,
                                      .group_width = config.group_width};
      add_stage_of_blocks(name, name,
                          row.bottleneck ? make_layer<Bottleneck>(backend, name, first, row.blocks[i], depth)
                                         : make_layer<BasicBlock>(backend, name, first, row.blocks[i], depth));
      channels = first.width * (row.bottleneck ? Bottleneck::kExpansion : BasicBlock::kExpansion);
    }
    dropout_ = add_module("", std::make_shared<Dropout>(options.dropout.value_or(0.0), "fc"));
    fc_ = add_module("fc", std::make_shared<Linear>(
                               backend, LinearConfig{.in_features = channels, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return fc_->forward(dropout_->forward(global_avg_pool(x), context), context);
  }

 private:
  /// A layer of `count` blocks.
  template <class Block>
  static std::shared_ptr<Sequential> make_layer(Backend& backend, const std::string& name,
                                                const ResidualBlockConfig& first, int count, LinearDepthRule& depth) {
    auto layer = std::make_shared<Sequential>();
    ResidualBlockConfig block = first;
    for (int i = 0; i < count; ++i) {
      block.depth = depth.next(name + "." + std::to_string(i));
      layer->add(std::make_shared<Block>(backend, block));
      block.in_channels = Block::kExpansion * first.width;
      block.stride = 1;
    }
    return layer;
  }

  std::shared_ptr<Dropout> dropout_;
  std::shared_ptr<Linear> fc_;
};

}  // namespace

std::shared_ptr<Backbone> make_resnet(Backend& backend, const ResNetConfig& config, const BackboneOptions& options) {
  const ResNetRow& row = row_of(config.depth);
  if (!row.bottleneck && (config.groups != 1 || config.group_width != 64)) {
    fail(ErrorKind::usage, "[resnet] depth {} has no bottlenecks that groups or another width could apply to",
         config.depth);
  }
  return std::make_shared<ResNet>(backend, row, config, options);
}

}  // namespace graft
