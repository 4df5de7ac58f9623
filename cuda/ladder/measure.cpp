#include "cuda/ladder/measure.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "cuda/ladder/convolution/ladder.h"
#include "cuda/ladder/gemm/ladder.h"
#include "cuda/ladder/row_reduction/ladder.h"
#include "cuda/runtime/event.h"
#include "cuda/runtime/memory_pool.h"
#include "engine/base/philox.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// `extent` divided by `shrink`, in multiples of `unit`.
std::int64_t shrunk(std::int64_t extent, int shrink, std::int64_t unit) {
  return std::max(extent / shrink / unit, std::int64_t{1}) * unit;
}

class LadderTimer {
 public:
  LadderTimer(int shrink, const std::function<void(const LadderTime&)>& report)
      : shrink_(shrink), report_(report), stream_(open_device(0)), pool_(MemoryPool::create(stream_.device())) {}

  void gemm() {
    const auto extent = static_cast<int>(shrunk(4096, shrink_, 128));
    const GemmLadderExtents e{.m = extent, .n = extent, .k = extent};
    const std::int64_t count = std::int64_t{extent} * extent;
    for (const NamedGemmStep& step : kGemmLadder) {
      const StoragePtr a = values(count, step.dtype);
      const StoragePtr b = values(count, step.dtype);
      const StoragePtr c = values(count, step.dtype);
      report({.ladder = "gemm",
              .step = step.name,
              .shape = fmt::format("{0}x{0}x{0}", extent),
              .dtype = std::string(name_of(step.dtype)),
              .flops = 2.0 * static_cast<double>(count) * extent},
             [&] { step.run(stream_, e, a->data(), b->data(), c->data()); });
    }
  }

  /// The 3x3 layers of ResNet-50's first stage.
  void convolution() {
    const std::int64_t size = shrunk(56, shrink_, 4);
    const std::int64_t channels = shrunk(64, shrink_, 4);
    const ConvProblem p{.batch = shrunk(64, shrink_, 1),
                        .height = size,
                        .width = size,
                        .channels = channels,
                        .out_height = size,
                        .out_width = size,
                        .out_channels = channels,
                        .kernel_height = 3,
                        .kernel_width = 3,
                        .padding = Padding2d::same(1)};
    const StoragePtr x = values(p.x_count(), DType::f32);
    const StoragePtr w = values(p.w_count(), DType::f32);
    const StoragePtr y = values(p.y_count(), DType::f32);
    for (const NamedConvStep& step : kConvLadder) {
      report({.ladder = "convolution",
              .step = step.name,
              .shape = fmt::format("{0}x{1}x{1}x{2} {2}x3x3", p.batch, size, channels),
              .dtype = "f32",
              .flops = 2.0 * static_cast<double>(p.y_count() * p.taps() * channels)},
             [&] { step.run(stream_, p, floats(x), floats(w), floats(y)); });
    }
  }

  /// As many rows as that layer has pixels at batch 256.
  void row_reduction() {
    const std::int64_t channels = shrunk(64, shrink_, 4);
    const std::int64_t rows = shrunk(std::int64_t{256} * 56 * 56, shrink_ * shrink_, 1);
    const StoragePtr x = values(rows * channels, DType::f32);
    const StoragePtr y = values(channels, DType::f32);
    const StoragePtr workspace = pool_->allocate(kRowLadderWorkspaceBytes);
    for (const NamedRowStep& step : kRowLadder) {
      report({.ladder = "row reduction",
              .step = step.name,
              .shape = fmt::format("{}x{}", rows, channels),
              .dtype = "f32",
              .bytes = static_cast<double>(rows * channels) * sizeof(float)},
             [&] {
               step.run(stream_, {floats(x), rows, channels, floats(y), workspace->data()});
             });
    }
  }

 private:
  static float* floats(const StoragePtr& storage) { return static_cast<float*>(storage->data()); }

  /// Random numbers in [-1, 1): a block of them, repeated. Equal numbers would cost a GPU less power, and so less time.
  StoragePtr values(std::int64_t count, DType dtype) const {
    constexpr std::size_t kBlock = std::size_t{1} << 18;
    const RandomStream random{.seed = 0, .stream = stream_of("ladders")};
    std::vector<float> floats(std::min(static_cast<std::size_t>(count), kBlock));
    for (std::size_t i = 0; i < floats.size(); ++i) floats[i] = 2.0f * uniform_float(random.word(0, i)) - 1.0f;
    const std::vector<bfloat16> rounded(floats.begin(), floats.end());
    const void* block = dtype == DType::bf16 ? static_cast<const void*>(rounded.data()) : floats.data();
    const std::size_t bytes = static_cast<std::size_t>(count) * size_of(dtype);
    const std::size_t block_bytes = floats.size() * size_of(dtype);
    StoragePtr storage = pool_->allocate(bytes);
    auto* to = static_cast<std::byte*>(storage->data());
    for (std::size_t at = 0; at < bytes; at += block_bytes)
      stream_.copy(block, to + at, std::min(block_bytes, bytes - at));
    stream_.synchronize();
    return storage;
  }

  void report(LadderTime time, const std::function<void()>& run) const {
    time.device = stream_.device().name;
    time.milliseconds = milliseconds_of(run);
    report_(time);
  }

  double milliseconds_of(const std::function<void()>& run) const {
    const auto timed = [&](int calls) {
      const Event start(Event::Timing::on);
      const Event end(Event::Timing::on);
      start.record(stream_);
      for (int i = 0; i < calls; ++i) run();
      end.record(stream_);
      end.synchronize();
      return double{end.milliseconds_since(start)} / calls;
    };
    timed(1);  // code is loaded
    constexpr double kEnough = 20.0;
    const int calls = std::clamp(static_cast<int>(kEnough / std::max(timed(1), 1e-3)), 1, 200);
    std::array<double, 5> all{};
    std::generate(all.begin(), all.end(), [&] { return timed(calls); });
    std::sort(all.begin(), all.end());
    return all[all.size() / 2];
  }

  int shrink_;
  const std::function<void(const LadderTime&)>& report_;
  Stream stream_;
  std::shared_ptr<MemoryPool> pool_;
};

void time_ladders(int shrink, const std::function<void(const LadderTime&)>& report) {
  LadderTimer timer(shrink, report);
  timer.gemm();
  timer.convolution();
  timer.row_reduction();
}

}  // namespace

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM

namespace graft {

#ifdef GRAFT_CUDA_EMULATED
void time_cuda_emulated_ladders(int shrink, const std::function<void(const LadderTime&)>& report) {
#else
void time_cuda_ladders(int shrink, const std::function<void(const LadderTime&)>& report) {
#endif
  cuda::time_ladders(shrink, report);
}

}  // namespace graft
