// A training step that is captured and replayed gives the bits of one whose kernels are called.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/backends.h"
#include "cuda/emulator/device_api.h"
#include "engine/base/philox.h"
#include "engine/nn/init.h"
#include "transfer/trainer.h"

namespace graft::testing {
namespace {

constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kSize = 8;

struct CaptureCase {
  std::string device{};
  std::string name;
  int frozen = 0;
  BatchNormPolicy policy = BatchNormPolicy::eval;
  std::string optimizer = "sgd";
  std::string amp = "none";
  double clip_norm = 0.0;
};
void PrintTo(const CaptureCase& c, std::ostream* out) { *out << c.device << ' ' << c.name; }

template <class T>
void append_bytes(const Tensor& tensor, std::vector<T>& into) {
  std::vector<T> values(tensor.nbytes());
  tensor.backend().copy_to_host(tensor, values.data());
  into.insert(into.end(), values.begin(), values.end());
}

std::unique_ptr<Backend> make_backend(const std::string& device, bool graph) {
  const BackendOptions options{.graph = graph};
#ifdef GRAFT_WITH_CUDA
  if (device == "cuda") return make_cuda_backend(options);
#endif
  if (device != "cudaEmulatedDeferred") return make_cuda_emulated_backend(options);
  const cuda::emulator::ScopedDeferredStreams scope;
  return make_cuda_emulated_backend(options);
}

/// Trains a few steps on batches that change in one place of memory; returns every byte of the state, and of the loss
/// after each two steps.
std::vector<char> train(const CaptureCase& c, bool graph) {
  const auto backend = make_backend(c.device, graph);
  const auto network =
      make_backbone("cifar_resnet20", *backend, {.classes = 3, .in_channels = 1, .height = kSize, .width = kSize});
  initialize(network->parameters(), 1, "test");
  initialize(network->buffers(), 1, "test");
  network->freeze_until(c.frozen, c.policy);
  TrainingSettings settings;
  settings.epochs = 2;
  settings.batch_size = kBatch;
  settings.lr = 0.05;
  settings.optimizer = c.optimizer;
  settings.amp = c.amp;
  settings.clip_norm = c.clip_norm;
  Trainer trainer(*network, *backend, {.settings = settings, .steps_per_epoch = 3, .frozen_stages = c.frozen});

  const DType dtype = compute_dtype(settings);
  const Shape shape{kBatch, kSize, kSize, 1};
  const Batch batch{
      .items = backend->empty(shape, dtype), .labels = backend->empty({kBatch}, DType::i64), .count = kBatch};
  std::vector<char> bytes;
  const auto note_loss = [&] {
    const double loss = trainer.take_mean_loss();
    const auto* first = reinterpret_cast<const char*>(&loss);
    bytes.insert(bytes.end(), first, first + sizeof loss);
  };
  for (std::uint64_t step = 0; step < 5; ++step) {
    const RandomStream random{.seed = step, .stream = stream_of("batch")};
    std::vector<float> pixels(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = 2.0f * uniform_float(random.word(0, i)) - 1.0f;
    std::vector<std::int64_t> labels(kBatch);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int64_t>((i + step) % 3);
    const Tensor wide = backend->empty(shape, DType::f32);
    backend->copy_from_host(pixels.data(), wide);
    backend->cast(wide, batch.items);
    backend->copy_from_host(labels.data(), batch.labels);
    trainer.step(batch, 0);
    EXPECT_EQ(trainer.replayed(), graph && step > 0) << "step " << step;
    if (step % 2 == 1) note_loss();
  }
  note_loss();
  for (const auto& [name, parameter] : network->parameters()) append_bytes(parameter.value(), bytes);
  for (const auto& [name, buffer] : network->buffers()) append_bytes(buffer.value(), bytes);
  // What a test of the network would compute with: no stale copy of a parameter may be left.
  const NoGradScope no_grad;
  append_bytes(network->forward(Variable(batch.items), {}).value(), bytes);
  return bytes;
}

class CapturedTraining : public ::testing::TestWithParam<CaptureCase> {};

TEST_P(CapturedTraining, GivesTheBitsOfCalledKernels) { EXPECT_EQ(train(GetParam(), true), train(GetParam(), false)); }

std::vector<CaptureCase> cases() {
  // Deferred: work is done when somebody waits for it and no sooner.
  std::vector<std::string> devices{"cudaEmulatedAscending", "cudaEmulatedDeferred"};
#ifdef GRAFT_WITH_CUDA
  if (cuda_device_present()) devices.emplace_back("cuda");
#endif
  std::vector<CaptureCase> all;
  for (const std::string& device : devices) {
    for (CaptureCase c : {CaptureCase{.name = "f32"}, CaptureCase{.name = "bf16", .amp = "bf16"},
                          CaptureCase{.name = "frozen", .frozen = 2, .amp = "bf16"},
                          CaptureCase{.name = "frozenUpdate", .frozen = 2, .policy = BatchNormPolicy::update},
                          CaptureCase{.name = "clippedAdamw", .optimizer = "adamw", .clip_norm = 0.1}}) {
      c.device = device;
      all.push_back(c);
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Devices, CapturedTraining, ::testing::ValuesIn(cases()),
                         [](const auto& which) { return which.param.device + "_" + which.param.name; });

/// A step is captured anew when what is trained, or how frozen statistics are used, changes.
TEST(CapturedStep, AChangeOfTheWorkIsSeen) {
  const auto backend = make_backend("cudaEmulatedAscending", true);
  const auto network =
      make_backbone("convnet6", *backend, {.classes = 3, .in_channels = 1, .height = kSize, .width = kSize});
  initialize(network->parameters(), 1, "test");
  TrainingSettings settings;
  settings.batch_size = kBatch;
  Trainer trainer(*network, *backend, {.settings = settings, .steps_per_epoch = 10});
  const Batch batch{.items = backend->zeros({kBatch, kSize, kSize, 1}, DType::f32),
                    .labels = backend->zeros({kBatch}, DType::i64),
                    .count = kBatch};
  const auto replays = [&] {
    trainer.step(batch, 0);
    return trainer.replayed();
  };
  EXPECT_FALSE(replays());
  EXPECT_TRUE(replays());
  EXPECT_TRUE(replays());
  network->freeze_until(1, BatchNormPolicy::eval);
  EXPECT_FALSE(replays()) << "fewer parameters are trained";
  EXPECT_TRUE(replays());
  network->freeze_until(1, BatchNormPolicy::batch);
  EXPECT_FALSE(replays()) << "another statistics policy";
  EXPECT_TRUE(replays());
  network->parameters().front().variable.mark_changed();
  EXPECT_FALSE(replays()) << "a frozen parameter was written to";
  EXPECT_TRUE(replays());
  const Batch other{
      .items = backend->zeros({kBatch, kSize, kSize, 1}, DType::f32), .labels = batch.labels, .count = kBatch};
  trainer.step(other, 0);
  EXPECT_FALSE(trainer.replayed()) << "the batch lies elsewhere";
}

}  // namespace
}  // namespace graft::testing
