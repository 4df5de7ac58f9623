#include "models/caffenet.h"

#include <string>

#include "engine/base/error.h"
#include "engine/nn/conv2d.h"
#include "engine/nn/linear.h"
#include "engine/ops/local_response_norm.h"
#include "engine/ops/max_pool2d.h"
#include "models/plain_layers.h"

namespace graft {
namespace {

constexpr std::int64_t kHidden = 4096;
constexpr std::int64_t kPool = 3;
constexpr std::int64_t kPoolStride = 2;
constexpr std::int64_t kSmallest = 63;

struct ConvRow {
  const char* name;
  std::int64_t channels, kernel, stride, padding, groups;
  bool pool, normalise;
};
constexpr ConvRow kConvs[] = {{"conv1", 96, 11, 4, 0, 1, true, true},
                              {"conv2", 256, 5, 1, 2, 2, true, true},
                              {"conv3", 384, 3, 1, 1, 1, false, false},
                              {"conv4", 384, 3, 1, 1, 2, false, false},
                              {"conv5", 256, 3, 1, 1, 2, true, false}};

/// Rows or columns after the image that make a pool's last window, begun within the image, whole.
std::int64_t missing(std::int64_t extent) {
  const std::int64_t rest = (extent - kPool) % kPoolStride;
  return rest == 0 ? 0 : kPoolStride - rest;
}

std::int64_t pooled_up(std::int64_t extent) { return (extent + missing(extent) - kPool) / kPoolStride + 1; }

class ConvStage final : public Module {
 public:
  ConvStage(Backend& backend, std::int64_t in_channels, const ConvRow& row)
      : pool_(row.pool), normalise_(row.normalise) {
    const Window2d window{.stride = {row.stride, row.stride}, .padding = Padding2d::same(row.padding)};
    conv_ =
        add_module("", std::make_shared<Conv2d>(
                           backend, Conv2dConfig{.in_channels = in_channels,
                                                 .out_channels = row.channels,
                                                 .kernel = {row.kernel, row.kernel},
                                                 .options = {.window = window, .groups = row.groups, .relu = true}}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    Variable y = conv_->forward(x, context);
    if (pool_) {
      const Padding2d padding{.bottom = missing(y.shape()[1]), .right = missing(y.shape()[2])};
      y = max_pool2d(y,
                     {.kernel = {kPool, kPool}, .window = {.stride = {kPoolStride, kPoolStride}, .padding = padding}});
    }
    return normalise_ ? local_response_norm(y, {.size = 5, .alpha = 1e-4, .beta = 0.75, .k = 1.0}) : y;
  }

 private:
  std::shared_ptr<Conv2d> conv_;
  bool pool_;
  bool normalise_;
};

class CaffeNet final : public Backbone {
 public:
  CaffeNet(Backend& backend, const BackboneOptions& options) {
    if (options.height < kSmallest || options.width < kSmallest) {
      fail(ErrorKind::usage, "caffenet wants images of {0}x{0} or more, not {1}x{2}", kSmallest, options.height,
           options.width);
    }
    Extent2d extent{options.height, options.width};
    std::int64_t channels = options.in_channels;
    for (const ConvRow& row : kConvs) {
      add_stage(row.name, row.name, std::make_shared<ConvStage>(backend, channels, row));
      channels = row.channels;
      extent = {(extent.height + 2 * row.padding - row.kernel) / row.stride + 1,
                (extent.width + 2 * row.padding - row.kernel) / row.stride + 1};
      if (row.pool) extent = {pooled_up(extent.height), pooled_up(extent.width)};
    }
    const auto add_hidden = [&](const std::string& name, std::int64_t in_features) {
      const PlainLinearConfig config{.in_features = in_features,
                                     .out_features = kHidden,
                                     .name = "",
                                     .dropout_stream = name,
                                     .dropout = options.dropout.value_or(0.5)};
      add_stage(name, name, std::make_shared<PlainLinear>(backend, config));
    };
    add_hidden("fc6", channels * extent.height * extent.width);
    add_hidden("fc7", kHidden);
    head_ = add_module("fc8", std::make_shared<Linear>(
                                  backend, LinearConfig{.in_features = kHidden, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(x, context);
  }

 private:
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_caffenet(Backend& backend, const BackboneOptions& options) {
  return std::make_shared<CaffeNet>(backend, options);
}

}  // namespace graft
