#include "models/convnet6.h"

#include <string>

#include "engine/base/error.h"
#include "engine/nn/conv2d.h"
#include "engine/nn/linear.h"
#include "engine/ops/flatten.h"
#include "engine/ops/max_pool2d.h"

namespace graft {
namespace {

constexpr std::int64_t kFeatures = 128;

struct ConvRow {
  const char* name;
  std::int64_t channels;
  bool pool;
};
constexpr ConvRow kConvs[] = {
    {"conv1", 16, true}, {"conv2", 32, false}, {"conv3", 32, true}, {"conv4", 64, false}, {"conv5", 64, false}};

class ConvStage final : public Module {
 public:
  ConvStage(Backend& backend, std::int64_t in_channels, const ConvRow& row) : pool_(row.pool) {
    conv_ = add_module(
        "", std::make_shared<Conv2d>(
                backend, Conv2dConfig{.in_channels = in_channels,
                                      .out_channels = row.channels,
                                      .kernel = {3, 3},
                                      .options = {.window = {.padding = Padding2d::same(1)}, .relu = true}}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    const Variable y = conv_->forward(x, context);
    return pool_ ? max_pool2d(y, {}) : y;
  }

 private:
  std::shared_ptr<Conv2d> conv_;
  bool pool_;
};

class LinearStage final : public Module {
 public:
  LinearStage(Backend& backend, std::int64_t in_features) {
    linear_ =
        add_module("", std::make_shared<Linear>(
                           backend, LinearConfig{.in_features = in_features, .out_features = kFeatures, .relu = true}));
  }
  Variable forward(const Variable& x, const ForwardContext& context) override {
    return linear_->forward(flatten(x), context);
  }

 private:
  std::shared_ptr<Linear> linear_;
};

class ConvNet6 final : public Backbone {
 public:
  ConvNet6(Backend& backend, const BackboneOptions& options) {
    std::int64_t channels = options.in_channels;
    std::int64_t height = options.height;
    std::int64_t width = options.width;
    for (const ConvRow& row : kConvs) {
      add_stage(row.name, row.name, std::make_shared<ConvStage>(backend, channels, row));
      channels = row.channels;
      height = row.pool ? height / 2 : height;
      width = row.pool ? width / 2 : width;
    }
    if (height < 1 || width < 1) {
      fail(ErrorKind::usage, "convnet6 wants images of 4x4 or more, not {}x{}", options.height, options.width);
    }
    add_stage("fc6", "fc6", std::make_shared<LinearStage>(backend, channels * height * width));
    head_ = add_module("head", std::make_shared<Linear>(
                                   backend, LinearConfig{.in_features = kFeatures, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(x, context);
  }

 private:
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_convnet6(Backend& backend, const BackboneOptions& options) {
  return std::make_shared<ConvNet6>(backend, options);
}

}  // namespace graft
