#include "models/efficientnet.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/base/error.h"
#include "engine/nn/dropout.h"
#include "engine/nn/linear.h"
#include "engine/nn/sequential.h"
#include "engine/ops/global_avg_pool.h"
#include "models/efficientnet_block.h"

namespace graft {
namespace {

constexpr std::int64_t kStemChannels = 32;
constexpr std::int64_t kHeadChannels = 1280;
constexpr std::int64_t kChannelUnit = 8;

struct ScaleRow {
  double width, depth;
  std::int64_t size;
  double dropout;
};
constexpr ScaleRow kScales[] = {{1.0, 1.0, 224, 0.2}, {1.0, 1.1, 240, 0.2}, {1.1, 1.2, 260, 0.3}, {1.2, 1.4, 300, 0.3},
                                {1.4, 1.8, 380, 0.4}, {1.6, 2.2, 456, 0.4}, {1.8, 2.6, 528, 0.5}, {2.0, 3.1, 600, 0.5}};
// Sizes of TensorFlow's own builder; timm publishes the same lite3 and lite4 weights for 300 and 380.
constexpr ScaleRow kLiteScales[] = {
    {1.0, 1.0, 224, 0.2}, {1.0, 1.1, 240, 0.2}, {1.1, 1.2, 260, 0.3}, {1.2, 1.4, 280, 0.3}, {1.4, 1.8, 300, 0.3}};

struct StageRow {
  std::int64_t kernel, stride, expansion, channels, count;
};
constexpr StageRow kStages[] = {{3, 1, 1, 16, 1},  {3, 2, 6, 24, 2},  {5, 2, 6, 40, 2}, {3, 2, 6, 80, 3},
                                {5, 1, 6, 112, 3}, {5, 2, 6, 192, 4}, {3, 1, 6, 320, 1}};

const ScaleRow& row_of(const EfficientNetConfig& config) {
  const std::span<const ScaleRow> rows = config.lite ? std::span<const ScaleRow>(kLiteScales) : kScales;
  if (config.scale < 0 || config.scale >= static_cast<int>(rows.size())) {
    fail(ErrorKind::usage, "[efficientnet] scale {}; there are 0 to {}", config.scale, rows.size() - 1);
  }
  return rows[static_cast<std::size_t>(config.scale)];
}

/// channels times `width`, to the nearest multiple of eight that is not more than a tenth less.
std::int64_t scaled_channels(std::int64_t channels, double width) {
  const double wanted = static_cast<double>(channels) * width;
  const auto units = static_cast<std::int64_t>(wanted + kChannelUnit / 2.0) / kChannelUnit;
  std::int64_t rounded = std::max<std::int64_t>(1, units) * kChannelUnit;
  if (static_cast<double>(rounded) < 0.9 * wanted) rounded += kChannelUnit;
  return rounded;
}

/// A lite network's first and last stage keep B0's depth.
int block_count(const StageRow& stage, const EfficientNetConfig& config, const ScaleRow& row) {
  const bool scaled = !config.lite || (&stage != std::begin(kStages) && &stage != std::end(kStages) - 1);
  return static_cast<int>(std::ceil(static_cast<double>(stage.count) * (scaled ? row.depth : 1.0)));
}

class EfficientNet final : public Backbone {
 public:
  EfficientNet(Backend& backend, const EfficientNetConfig& config, const BackboneOptions& options) {
    const ScaleRow& row = row_of(config);
    const EfficientNetStyle style{
        .same_padding = config.tensorflow, .lite = config.lite, .norm = {.eps = config.tensorflow ? 1e-3 : 1e-5}};
    const double outer_width = config.lite ? 1.0 : row.width;
    std::int64_t channels = scaled_channels(kStemChannels, outer_width);
    const ConvActivationConfig stem{.in_channels = options.in_channels,
                                    .out_channels = channels,
                                    .kernel = 3,
                                    .stride = 2,
                                    .conv_name = "conv_stem",
                                    .norm_name = "bn1"};
    add_stage("stem", "", std::make_shared<ConvActivation>(backend, style, stem));
    int blocks = 0;
    for (const StageRow& stage : kStages) blocks += block_count(stage, config, row);
    LinearDepthRule depth(options.drop_path, blocks);
    for (const StageRow& stage : kStages) {
      const std::string name = "blocks." + std::to_string(stage_count() - 1);
      const EfficientNetBlockConfig first{.in_channels = channels,
                                          .out_channels = scaled_channels(stage.channels, row.width),
                                          .kernel = stage.kernel,
                                          .stride = stage.stride,
                                          .expansion = stage.expansion};
      auto layers = std::make_shared<Sequential>();
      add_blocks(backend, style, first, block_count(stage, config, row), name, depth, *layers);
      add_stage_of_blocks(name, name, layers);
      channels = first.out_channels;
    }
    const ConvActivationConfig last{.in_channels = channels,
                                    .out_channels = scaled_channels(kHeadChannels, outer_width),
                                    .conv_name = "conv_head",
                                    .norm_name = "bn2"};
    add_stage("conv_head", "", std::make_shared<ConvActivation>(backend, style, last));
    dropout_ = add_module("", std::make_shared<Dropout>(options.dropout.value_or(row.dropout), "classifier"));
    head_ = add_module("classifier", std::make_shared<Linear>(backend, LinearConfig{.in_features = last.out_channels,
                                                                                    .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(dropout_->forward(global_avg_pool(x), context), context);
  }

 private:
  /// `count` blocks, the first of which changes size and channels.
  static void add_blocks(Backend& backend, const EfficientNetStyle& style, const EfficientNetBlockConfig& first,
                         int count, const std::string& name, LinearDepthRule& depth, Sequential& into) {
    EfficientNetBlockConfig block = first;
    for (int i = 0; i < count; ++i) {
      block.depth = depth.next(name + "." + std::to_string(i));
      into.add(std::make_shared<EfficientNetBlock>(backend, style, block));
      block.in_channels = first.out_channels;
      block.stride = 1;
    }
  }

  std::shared_ptr<Dropout> dropout_;
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::int64_t efficientnet_input_size(const EfficientNetConfig& config) { return row_of(config).size; }

std::shared_ptr<Backbone> make_efficientnet(Backend& backend, const EfficientNetConfig& config,
                                            const BackboneOptions& options) {
  return std::make_shared<EfficientNet>(backend, config, options);
}

}  // namespace graft
