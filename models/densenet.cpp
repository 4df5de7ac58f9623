#include "models/densenet.h"

#include <array>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/sequential.h"
#include "engine/ops/avg_pool2d.h"
#include "engine/ops/concat_channels.h"
#include "engine/ops/global_avg_pool.h"
#include "engine/ops/max_pool2d.h"
#include "models/residual_block.h"

namespace graft {
namespace {

constexpr std::int64_t kBottleneck = 4;  ///< a 1x1 convolution's channels over the growth rate

struct DenseNetRow {
  int depth;
  std::int64_t growth;
  std::int64_t stem;
  std::array<int, 4> layers;
};
constexpr DenseNetRow kDenseNets[] = {{121, 32, 64, {6, 12, 24, 16}},
                                      {161, 48, 96, {6, 12, 36, 24}},
                                      {169, 32, 64, {6, 12, 32, 32}},
                                      {201, 32, 64, {6, 12, 48, 32}}};

const DenseNetRow& row_of(int depth) {
  for (const DenseNetRow& row : kDenseNets) {
    if (row.depth == depth) return row;
  }
  fail(ErrorKind::usage, "[densenet] depth {}; there are 121, 161, 169 and 201", depth);
}

std::shared_ptr<BatchNorm2d> norm_relu(Backend& backend, std::int64_t channels) {
  return std::make_shared<BatchNorm2d>(backend, channels, BatchNormOptions{.relu = true});
}

/// A convolution, the batch norm behind it and a ReLU.
std::shared_ptr<ConvBatchNorm> conv_norm_relu(const std::string& conv_name, std::shared_ptr<Conv2d> conv,
                                              const std::string& norm_name) {
  return std::make_shared<ConvBatchNorm>(conv_name, std::move(conv), norm_name, BatchNormOptions{.relu = true});
}

class Stem final : public Module {
 public:
  Stem(Backend& backend, std::int64_t in_channels, std::int64_t channels) {
    conv_ = add_module("", conv_norm_relu("conv0", residual_conv(backend, in_channels, channels, 7, 2), "norm0"));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    const Variable y = conv_->forward(x, context);
    return max_pool2d(y, {.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}});
  }

 private:
  std::shared_ptr<ConvBatchNorm> conv_;
};

/// Batch norm, ReLU, 1x1 convolution, batch norm, ReLU, 3x3 convolution; the result joins the input's channels.
class DenseLayer final : public Module {
 public:
  DenseLayer(Backend& backend, std::int64_t in_channels, std::int64_t growth) {
    const std::int64_t inner = kBottleneck * growth;
    norm1_ = add_module("norm1", norm_relu(backend, in_channels));
    conv1_ = add_module("", conv_norm_relu("conv1", residual_conv(backend, in_channels, inner, 1, 1), "norm2"));
    conv2_ = add_module("conv2", residual_conv(backend, inner, growth, 3, 1));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    const Variable inner = conv1_->forward(norm1_->forward(x, context), context);
    const std::array<Variable, 2> joined{x, conv2_->forward(inner, context)};
    return concat_channels(joined);
  }

 private:
  std::shared_ptr<BatchNorm2d> norm1_;
  std::shared_ptr<ConvBatchNorm> conv1_;
  std::shared_ptr<Conv2d> conv2_;
};

/// Batch norm, ReLU, 1x1 convolution to half the channels, 2x2 average pooling.
class Transition final : public Module {
 public:
  Transition(Backend& backend, std::int64_t in_channels) {
    norm_ = add_module("norm", norm_relu(backend, in_channels));
    conv_ = add_module("conv", residual_conv(backend, in_channels, in_channels / 2, 1, 1));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    return avg_pool2d(conv_->forward(norm_->forward(x, context), context), {});
  }

 private:
  std::shared_ptr<BatchNorm2d> norm_;
  std::shared_ptr<Conv2d> conv_;
};

class DenseNet final : public Backbone {
 public:
  DenseNet(Backend& backend, const DenseNetRow& row, const BackboneOptions& options) {
    add_stage("conv0", "features", std::make_shared<Stem>(backend, options.in_channels, row.stem));
    std::int64_t channels = row.stem;
    for (std::size_t i = 0; i < row.layers.size(); ++i) {
      auto block = std::make_shared<Sequential>();
      for (int layer = 1; layer <= row.layers[i]; ++layer) {
        block->add("denselayer" + std::to_string(layer), std::make_shared<DenseLayer>(backend, channels, row.growth));
        channels += row.growth;
      }
      const std::string name = "denseblock" + std::to_string(i + 1);
      add_stage_of_blocks(name, "features." + name, block);
      if (i + 1 == row.layers.size()) break;
      add("transition" + std::to_string(i + 1), std::make_shared<Transition>(backend, channels));
      channels /= 2;
    }
    add("norm5", norm_relu(backend, channels));
    dropout_ = add_module("", std::make_shared<Dropout>(options.dropout.value_or(0.0), "classifier"));
    head_ = add_module("classifier", std::make_shared<Linear>(backend, LinearConfig{.in_features = channels,
                                                                                    .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(dropout_->forward(global_avg_pool(x), context), context);
  }

 private:
  void add(const std::string& name, std::shared_ptr<Module> module) {
    add_stage(name, "features." + name, std::move(module));
  }

  std::shared_ptr<Dropout> dropout_;
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_densenet(Backend& backend, int depth, const BackboneOptions& options) {
  return std::make_shared<DenseNet>(backend, row_of(depth), options);
}

}  // namespace graft
