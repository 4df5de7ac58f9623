#include "models/alexnet.h"

#include <string>

#include "engine/nn/linear.h"
#include "models/plain_layers.h"

namespace graft {
namespace {

constexpr Extent2d kFeatureExtent{6, 6};
constexpr std::int64_t kHidden = 4096;

struct ConvRow {
  const char* stage;
  const char* name;
  std::int64_t channels, kernel, stride, padding;
  bool pool;
};
constexpr ConvRow kConvs[] = {{"conv1", "0", 64, 11, 4, 2, true},
                              {"conv2", "3", 192, 5, 1, 2, true},
                              {"conv3", "6", 384, 3, 1, 1, false},
                              {"conv4", "8", 256, 3, 1, 1, false},
                              {"conv5", "10", 256, 3, 1, 1, true}};

class AlexNet final : public Backbone {
 public:
  AlexNet(Backend& backend, const BackboneOptions& options) {
    const Pool2dOptions pool{.kernel = {3, 3}, .window = {.stride = {2, 2}}};
    std::int64_t channels = options.in_channels;
    for (const ConvRow& row : kConvs) {
      PlainConvConfig config{.in_channels = channels,
                             .out_channels = row.channels,
                             .kernel = row.kernel,
                             .stride = row.stride,
                             .padding = row.padding,
                             .name = row.name};
      if (row.pool) config.pool = pool;
      add_stage(row.stage, "features", std::make_shared<PlainConv>(backend, config));
      channels = row.channels;
    }
    const auto add_hidden = [&](const std::string& stage, const std::string& name, std::int64_t in_features) {
      const PlainLinearConfig config{.in_features = in_features,
                                     .out_features = kHidden,
                                     .name = name,
                                     .dropout_stream = stage,
                                     .dropout = options.dropout.value_or(0.5),
                                     .dropout_first = true,
                                     .extent = kFeatureExtent};
      add_stage(stage, "classifier", std::make_shared<PlainLinear>(backend, config));
    };
    add_hidden("fc6", "1", channels * kFeatureExtent.height * kFeatureExtent.width);
    add_hidden("fc7", "4", kHidden);
    head_ = add_module(
        "classifier.6",
        std::make_shared<Linear>(backend, LinearConfig{.in_features = kHidden, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(x, context);
  }

 private:
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_alexnet(Backend& backend, const BackboneOptions& options) {
  return std::make_shared<AlexNet>(backend, options);
}

}  // namespace graft
