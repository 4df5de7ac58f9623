#include "engine/cpu/winograd_gradient_plan.h"

#include <omp.h>

#include <cstring>

#include "engine/cpu/winograd_layout.h"

namespace graft {
namespace {

using namespace winograd;

/// dw, and dbias, from x and dy.
class WinogradGradientPlan final : public Plan {
 public:
  WinogradGradientPlan(const ConvProblem& problem, WinogradSchedule schedule)
      : dtype_(problem.dtype),
        schedule_(schedule),
        weights_{problem.out_channels(), problem.in_channels()},
        threads_(omp_get_max_threads()) {
    const Shape& x = problem.x;
    const Shape& y = problem.y;
    const Padding2d& padding = problem.options.window.padding;
    const std::int64_t rows = (y[1] + kTile - 1) / kTile;
    const std::int64_t columns = (y[2] + kTile - 1) / kTile;
    input_ = {x[1], x[2], x[3], rows, columns, padding.top, padding.left};
    gradient_ = {y[1], y[2], y[3], rows, columns, 0, 0};
    tiles_ = y[0] * rows * columns;
    in_blocks_ = blocks_of(x[3]);
    out_blocks_ = blocks_of(y[3]);
    lay_out_scratch();
  }

  void run(const PlanPointers& pointers, void* scratch) override {
    std::memset(at(scratch, zeros_), 0, static_cast<std::size_t>(zero_channels()) * sizeof(float));
    std::memset(at(scratch, sums_), 0, static_cast<std::size_t>(2 * threads_ * out_blocks_ * kLanes) * sizeof(float));
#pragma omp parallel num_threads(threads_) if (threads_ > 1)
    {
      const std::int64_t thread = omp_get_thread_num();
      const std::int64_t threads = omp_get_num_threads();
      if (schedule_ == WinogradSchedule::by_tiles) {
        run_tiles(pointers, scratch, thread, threads);
      } else {
        run_channels(pointers, scratch, thread, threads);
      }
    }
    if (pointers[2] != nullptr) write_bias_gradient(scratch, static_cast<float*>(pointers[2]));
  }

  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  std::string implementation() const override {
    return schedule_ == WinogradSchedule::by_tiles ? "winograd_4x3_tiles:avx512" : "winograd_4x3_channels:avx512";
  }

 private:
  std::int64_t zero_channels() const { return std::max(in_blocks_, out_blocks_) * kLanes; }

  void lay_out_scratch() {
    ScratchLayout layout;
    zeros_ = layout.floats(zero_channels());
    sums_ = layout.floats(2 * threads_ * out_blocks_ * kLanes);
    const bool by_tiles = schedule_ == WinogradSchedule::by_tiles;
    block_tiles_ = by_tiles ? tiles_of_block((in_blocks_ + out_blocks_) * kLanes, (tiles_ + threads_ - 1) / threads_,
                                             kCacheBytes, kLeastTiles)
                            : tiles_;
    const std::int64_t copies = by_tiles ? threads_ : 1;
    v_floats_ = kPoints * point_stride(in_blocks_, block_tiles_);
    d_floats_ = kPoints * point_stride(out_blocks_, block_tiles_);
    v_ = layout.floats(copies * v_floats_);
    d_ = layout.floats(copies * d_floats_);
    du_stride_ = ((by_tiles ? out_blocks_ : 2) * in_blocks_ * kLanes + 1) * kLanes;
    du_floats_ = kPoints * du_stride_;
    du_ = layout.floats(threads_ * du_floats_);
    scratch_bytes_ = layout.bytes();
  }

  /// V and D of a thread's tiles, at the place of its first tile in a block. The sum of the tiles' gradients goes
  /// through a sum of the block's own, so that its rounding errors grow with blocks, not with tiles.
  void transform(const PlanPointers& pointers, void* scratch, std::int64_t thread, const Range& tiles, float* v,
                 float* d) const {
    const TileRange range{tiles.begin, tiles.end, block_tiles_};
    const float* zeros = at(scratch, zeros_);
    float* total = at(scratch, sums_) + 2 * thread * out_blocks_ * kLanes;
    float* part = total + out_blocks_ * kLanes;
    const bool wanted = pointers[2] != nullptr;
    transform_input(pointers[0], dtype_, input_, range, {0, in_blocks_}, zeros, v);
    transform_gradient(pointers[1], dtype_, gradient_, range, {0, out_blocks_}, zeros, d, wanted ? part : nullptr);
    if (!wanted) return;
    add_to(part, 0, out_blocks_ * kLanes, total);
    std::memset(part, 0, static_cast<std::size_t>(out_blocks_ * kLanes) * sizeof(float));
  }

  /// Each thread sums over its own tiles; the threads' sums are then added in their order.
  void run_tiles(const PlanPointers& pointers, void* scratch, std::int64_t thread, std::int64_t threads) const {
    const std::int64_t busy = std::min(threads, tiles_);
    float* du = at(scratch, du_) + thread * du_floats_;
    if (thread < busy) {
      float* v = at(scratch, v_) + thread * v_floats_;
      float* d = at(scratch, d_) + thread * d_floats_;
      const Range tiles = Range{0, tiles_}.part(thread, busy);
      const std::int64_t parts = (tiles.count() + block_tiles_ - 1) / block_tiles_;
      for (std::int64_t part = 0; part < parts; ++part) {
        const Range block = tiles.part(part, parts);
        transform(pointers, scratch, thread, block, v, d);
        multiply_gradient(
            d, v, {block.count(), block_tiles_, out_blocks_, {0, out_blocks_}, in_blocks_, du_stride_, part > 0}, du);
      }
    }
#pragma omp barrier
    float* first = at(scratch, du_);
    const Range mine = Range{0, du_floats_ / kLanes}.part(thread, threads);
    for (std::int64_t other = 1; other < busy; ++other) {
      add_to(first + other * du_floats_, mine.begin * kLanes, mine.end * kLanes, first);
    }
#pragma omp barrier
    const Range blocks = Range{0, out_blocks_}.part(thread, threads);
    transform_weight_gradient(first + blocks.begin * kLanes * in_blocks_ * kLanes, weights_, {blocks.begin, blocks.end},
                              du_stride_, static_cast<float*>(pointers[3]));
  }

  void run_channels(const PlanPointers& pointers, void* scratch, std::int64_t thread, std::int64_t threads) const {
    float* v = at(scratch, v_);
    float* d = at(scratch, d_);
    float* du = at(scratch, du_) + thread * du_floats_;
    const Range tiles = Range{0, tiles_}.part(thread, threads);
    transform(pointers, scratch, thread, tiles, v + tiles.begin * kLanes, d + tiles.begin * kLanes);
#pragma omp barrier
    const Range pairs = Range{0, (out_blocks_ + 1) / 2}.part(thread, threads);
    for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
      const BlockRange blocks{2 * pair, std::min(2 * pair + 2, out_blocks_)};
      multiply_gradient(d, v, {tiles_, block_tiles_, out_blocks_, blocks, in_blocks_, du_stride_, false}, du);
      transform_weight_gradient(du, weights_, blocks, du_stride_, static_cast<float*>(pointers[3]));
    }
  }

  void write_bias_gradient(void* scratch, float* dbias) const {
    const float* sums = at(scratch, sums_);
    for (std::int64_t channel = 0; channel < weights_.outputs; ++channel) {
      float sum = 0.0f;
      for (std::int64_t thread = 0; thread < threads_; ++thread) {
        sum += sums[2 * thread * out_blocks_ * kLanes + channel];
      }
      dbias[channel] = sum;
    }
  }

  static constexpr std::int64_t kCacheBytes = 512 << 10;
  static constexpr std::int64_t kLeastTiles = 28;

  DType dtype_;
  WinogradSchedule schedule_;
  WeightShape weights_;
  int threads_;
  TileGrid input_{}, gradient_{};
  std::int64_t tiles_ = 0, in_blocks_ = 0, out_blocks_ = 0, block_tiles_ = 0;
  std::int64_t v_floats_ = 0, d_floats_ = 0, du_floats_ = 0, du_stride_ = 0;
  std::size_t zeros_ = 0, sums_ = 0, v_ = 0, d_ = 0, du_ = 0, scratch_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Plan> make_winograd_gradient_plan(const ConvProblem& problem, WinogradSchedule schedule) {
  return std::make_unique<WinogradGradientPlan>(problem, schedule);
}

}  // namespace graft
