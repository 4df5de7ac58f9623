#include "models/linear_probe.h"

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/nn/linear.h"
#include "engine/ops/global_avg_pool.h"

namespace graft {
namespace {

class Pool final : public Module {
 public:
  Variable forward(const Variable& x, const ForwardContext& /*context*/) override {
    return x.shape().rank() == 4 ? global_avg_pool(x) : x;
  }
};

/// Channels of what the first `cut` stages give.
std::int64_t count_features(const LinearProbeOptions& options, Backbone& probe, Backend& backend) {
  for (const auto& list : {probe.parameters(), probe.buffers()}) {
    for (const NamedVariable& named : list) backend.fill(0.0, named.variable.value());
  }
  const Shape& image = options.image;
  const NoGradScope no_grad;
  const Variable x(backend.zeros({1, image.dim(0), image.dim(1), image.dim(2)}, DType::f32));
  return probe.forward_stages(x, 0, options.cut + 1, {}).shape()[1];
}

class LinearProbe final : public Backbone {
 public:
  LinearProbe(const Backbone& backbone, Backend& backend, const LinearProbeOptions& options) {
    check(1 <= options.cut && options.cut <= backbone.stage_count(), "[linear_probe] after stage {} of {}", options.cut,
          backbone.stage_count());
    for (int i = 0; i < options.cut; ++i) {
      const Stage& stage = backbone.stages()[static_cast<std::size_t>(i)];
      add_stage(stage.name, stage.prefix, stage.module);
    }
    add_stage("pool", "", std::make_shared<Pool>());
    const std::int64_t features = count_features(options, *this, backend);
    head_ = add_module("probe", std::make_shared<Linear>(
                                    backend, LinearConfig{.in_features = features, .out_features = options.classes}));
  }
  Variable forward_head(const Variable& x, const ForwardContext& context) override {
    return head_->forward(x, context);
  }

 private:
  std::shared_ptr<Linear> head_;
};

}  // namespace

std::shared_ptr<Backbone> make_linear_probe(const Backbone& backbone, Backend& backend,
                                            const LinearProbeOptions& options) {
  return std::make_shared<LinearProbe>(backbone, backend, options);
}

}  // namespace graft
