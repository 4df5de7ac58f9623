#include "tools/synthetic_step.h"

#include <algorithm>
#include <chrono>
#include <functional>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/nn/conv_batch_norm.h"
#include "engine/nn/init.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

Batch synthetic_batch(Backend& backend, const SyntheticStepOptions& options) {
  const std::int64_t count = options.training.batch_size;
  const Shape shape{count, options.network.height, options.network.width, options.network.in_channels};
  const RandomStream random{.seed = 0, .stream = stream_of("bench step")};
  std::vector<float> pixels(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = 2.0f * uniform_float(random.word(0, i)) - 1.0f;
  std::vector<std::int64_t> labels(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] = static_cast<std::int64_t>(i) % options.network.classes;
  }
  Batch batch{.items = backend.empty(shape, DType::f32), .labels = backend.empty({count}, DType::i64), .count = count};
  backend.copy_from_host(pixels.data(), batch.items);
  backend.copy_from_host(labels.data(), batch.labels);
  const DType dtype = compute_dtype(options.training);
  if (dtype != DType::f32) {
    const Tensor items = backend.empty(shape, dtype);
    backend.cast(batch.items, items);
    batch.items = items;
  }
  return batch;
}

/// The network, with initial values.
std::shared_ptr<Backbone> synthetic_network(Backend& backend, const SyntheticStepOptions& options) {
  check_amp(options.training, backend);
  std::shared_ptr<Backbone> network = make_backbone(options.model, backend, options.network);
  initialize(network->parameters(), 0, "bench");
  initialize(network->buffers(), 0, "bench");
  network->freeze_until(0, BatchNormPolicy::eval);
  return network;
}

/// A network that trains on one batch.
class SyntheticTraining {
 public:
  SyntheticTraining(Backend& backend, const SyntheticStepOptions& options)
      : network_(synthetic_network(backend, options)),
        batch_(synthetic_batch(backend, options)),
        trainer_(*network_, backend,
                 {.settings = options.training, .steps_per_epoch = options.warmup + options.steps}) {}

  void step() { trainer_.step(batch_, 0); }

 private:
  std::shared_ptr<Backbone> network_;
  Batch batch_;
  Trainer trainer_;
};

/// Milliseconds of `step`, without those of the first calls.
std::vector<double> time_calls(Backend& backend, const SyntheticStepOptions& options,
                               const std::function<void()>& step) {
  std::vector<double> milliseconds;
  for (std::int64_t i = 0; i < options.warmup + options.steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    backend.synchronize();
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    if (i >= options.warmup) milliseconds.push_back(taken.count());
  }
  return milliseconds;
}

}  // namespace

std::vector<double> time_steps(Backend& backend, const SyntheticStepOptions& options) {
  SyntheticTraining training(backend, options);
  return time_calls(backend, options, [&] { training.step(); });
}

std::vector<double> time_inference(Backend& backend, const SyntheticStepOptions& options, bool folded) {
  const std::shared_ptr<Backbone> network = synthetic_network(backend, options);
  const Variable images(synthetic_batch(backend, options).items);
  if (folded) fold_batch_norm(*network);
  const NoGradScope no_grad;
  return time_calls(backend, options, [&] { network->forward(images, {}); });
}

std::vector<StepPart> split_step(Backend& backend, const SyntheticStepOptions& options) {
  SyntheticTraining training(backend, options);
  for (std::int64_t step = 0; step < options.warmup; ++step) training.step();
  KernelTimes times;
  double all = 0.0;
  for (std::int64_t step = 0; step < options.steps; ++step) {
    for (const KernelTime& time : backend.time_kernels([&] { training.step(); })) {
      times.add(time);
      all += time.milliseconds;
    }
  }
  const auto steps = static_cast<double>(options.steps);
  std::vector<StepPart> parts;
  for (const KernelTime& time : times.longest_first()) {
    parts.push_back({.kernel = time.kernel,
                     .calls = static_cast<double>(time.calls) / steps,
                     .milliseconds = time.milliseconds / steps,
                     .share = time.milliseconds / all});
  }
  return parts;
}

double median(std::vector<double> values) {
  check(!values.empty(), "[median] of no values");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

}  // namespace graft
