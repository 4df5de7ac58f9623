#include "models/vgg.h"

#include <fmt/core.h>

#include <array>
#include <string>

#include "engine/base/error.h"
#include "engine/nn/linear.h"
#include "models/plain_layers.h"

namespace graft {
namespace {

constexpr Extent2d kFeatureExtent{7, 7};
constexpr std::int64_t kHidden = 4096;
constexpr std::array<std::int64_t, 5> kWidths{64, 128, 256, 512, 512};

struct VggRow {
  int depth;
  std::array<int, 5> convs;  ///< before each pooling
};
constexpr VggRow kVggs[] = {{11, {1, 1, 2, 2, 2}}, {13, {2, 2, 2, 2, 2}}, {16, {2, 2, 3, 3, 3}}, {19, {2, 2, 4, 4, 4}}};

const VggRow& row_of(int depth) {
  for (const VggRow& row : kVggs) {
    if (row.depth == depth) return row;
  }
  fail(ErrorKind::usage, "[vgg] depth {}; there are 11, 13, 16 and 19", depth);
}

class Vgg final : public Backbone {
 public:
  Vgg(Backend& backend, const VggRow& row, bool batch_norm, const BackboneOptions& options) {
    add_features(backend, row, batch_norm, options.in_channels);
    const auto add_hidden = [&](const std::string& stage, const std::string& name, std::int64_t in_features) {
      const PlainLinearConfig config{.in_features = in_features,
                                     .out_features = kHidden,
                                     .name = name,
                                     .dropout_stream = stage,
                                     .dropout = options.dropout.value_or(0.5),
                                     .extent = kFeatureExtent};
      add_stage(stage, "classifier", std::make_shared<PlainLinear>(backend, config));
    };
    add_hidden("fc6", "0", kWidths.back() * kFeatureExtent.height * kFeatureExtent.width);
    add_hidden("fc7", "3", kHidden);
    head_ = add_module(
        "classifier.6",
        std::make_shared<Linear>(backend, LinearConfig{.in_features = kHidden, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(x, context);
  }

 private:
  /// torchvision numbers convolutions, batch norms, ReLUs and pools alike.
  void add_features(Backend& backend, const VggRow& row, bool batch_norm, std::int64_t channels) {
    int place = 0;
    for (std::size_t block = 0; block < row.convs.size(); ++block) {
      for (int conv = 0; conv < row.convs[block]; ++conv) {
        const bool pooled = conv + 1 == row.convs[block];
        PlainConvConfig config{.in_channels = channels, .out_channels = kWidths[block], .name = std::to_string(place)};
        if (batch_norm) config.norm_name = std::to_string(place + 1);
        if (pooled) config.pool = Pool2dOptions{};
        add_stage(fmt::format("conv{}_{}", block + 1, conv + 1), "features",
                  std::make_shared<PlainConv>(backend, config));
        channels = kWidths[block];
        place += (batch_norm ? 3 : 2) + (pooled ? 1 : 0);
      }
    }
  }

  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_vgg(Backend& backend, int depth, bool batch_norm, const BackboneOptions& options) {
  return std::make_shared<Vgg>(backend, row_of(depth), batch_norm, options);
}

}  // namespace graft
