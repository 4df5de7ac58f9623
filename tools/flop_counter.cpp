#include "tools/flop_counter.h"

#include <numeric>

#include "engine/reference/reference_backend.h"

namespace graft {
namespace {

/// Counts products instead of computing them; what they would give stays undefined and is not looked at.
class CountingBackend : public ReferenceBackend {
 public:
  double take() { return std::exchange(flops_, 0.0); }

  void conv2d_forward(const Tensor&, const Tensor& w, const Tensor&, const Tensor&, const Conv2dOptions&, const Tensor&,
                      const Tensor& y) override {
    const std::int64_t taps = w.numel() / w.dim(0);
    flops_ += 2.0 * static_cast<double>(y.numel()) * static_cast<double>(taps);
    fill(0.0, y);
  }
  void gemm(const Tensor& a, const Tensor&, const Tensor&, const GemmOptions& options, const Tensor&,
            const Tensor& c) override {
    flops_ += 2.0 * static_cast<double>(c.numel()) * static_cast<double>(a.dim(options.transpose_a ? -2 : -1));
    fill(0.0, c);
  }

 private:
  double flops_ = 0.0;
};

double bytes_of(const std::vector<NamedVariable>& variables) {
  double bytes = 0.0;
  for (const NamedVariable& named : variables) {
    bytes += static_cast<double>(named.variable.value().numel()) * static_cast<double>(size_of(named.variable.dtype()));
  }
  return bytes;
}

}  // namespace

double ForwardFlops::between(int first, int last) const {
  return std::accumulate(stages.begin() + first, stages.begin() + last, 0.0);
}

ForwardFlops count_forward_flops(const BackboneEntry& entry, const BackboneOptions& options) {
  CountingBackend backend;
  const std::shared_ptr<Backbone> network = make_backbone(entry.name, backend, options);
  for (const auto& list : {network->parameters(), network->buffers()}) {
    for (const NamedVariable& named : list) backend.fill(0.0, named.variable.value());
  }
  const NoGradScope no_grad;
  const ForwardContext context;
  Variable x(backend.zeros({1, options.height, options.width, options.in_channels}, DType::f32));
  ForwardFlops flops;
  for (int stage = 0; stage < network->stage_count(); ++stage) {
    x = network->forward_stages(x, stage, stage + 1, context);
    flops.stages.push_back(backend.take());
    flops.features.push_back(static_cast<double>(x.shape().dim(-1)));
    flops.stage_bytes.push_back(bytes_of(network->stage_parameters(stage, stage + 1)) +
                                bytes_of(network->stage_buffers(stage, stage + 1)));
  }
  network->forward_head(x, context);
  flops.head = backend.take();
  flops.state_bytes = bytes_of(network->parameters()) + bytes_of(network->buffers());
  return flops;
}

}  // namespace graft
