#include "engine/cpu/winograd_plan.h"

#include <omp.h>

#include <cstring>

#include "engine/cpu/winograd_gradient_plan.h"
#include "engine/cpu/winograd_layout.h"

namespace graft {
namespace {

using namespace winograd;

/// y from x, or dx from dy: images in, weights as they are or turned, images out.
class WinogradPlan final : public Plan {
 public:
  WinogradPlan(const ConvProblem& problem, WinogradSchedule schedule)
      : dtype_(problem.dtype),
        turned_(problem.kind == ConvKind::backward_data),
        relu_(problem.options.relu),
        residual_(problem.residual),
        schedule_(schedule),
        weights_{problem.out_channels(), problem.in_channels()},
        threads_(omp_get_max_threads()) {
    const Shape& from = turned_ ? problem.y : problem.x;
    const Shape& to = turned_ ? problem.x : problem.y;
    const Padding2d& padding = problem.options.window.padding;
    const std::int64_t rows = (to[1] + kTile - 1) / kTile;
    const std::int64_t columns = (to[2] + kTile - 1) / kTile;
    input_ = {from[1],
              from[2],
              from[3],
              rows,
              columns,
              turned_ ? 2 - padding.top : padding.top,
              turned_ ? 2 - padding.left : padding.left};
    output_ = {to[1], to[2], to[3], rows, columns, 0, 0};
    tiles_ = to[0] * rows * columns;
    in_blocks_ = blocks_of(from[3]);
    out_blocks_ = blocks_of(to[3]);
    pairs_ = (out_blocks_ + 1) / 2;
    lay_out_scratch();
  }

  void run(const PlanPointers& pointers, void* scratch) override {
    std::memset(at(scratch, zeros_), 0, static_cast<std::size_t>(input_.channels) * sizeof(float));
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
  }

  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  std::string implementation() const override {
    return schedule_ == WinogradSchedule::by_tiles ? "winograd_4x3_tiles:avx512" : "winograd_4x3_channels:avx512";
  }

 private:
  void lay_out_scratch() {
    ScratchLayout layout;
    zeros_ = layout.floats(in_blocks_ * kLanes);
    if (schedule_ == WinogradSchedule::by_tiles) {
      block_tiles_ = tiles_of_block((in_blocks_ + out_blocks_) * kLanes, (tiles_ + threads_ - 1) / threads_,
                                    kCacheBytes, kLeastTiles);
      u_stride_ = (out_blocks_ * in_blocks_ * kLanes + 1) * kLanes;
      u_ = layout.floats(kPoints * u_stride_);
      v_floats_ = kPoints * point_stride(in_blocks_, block_tiles_);
      m_floats_ = kPoints * point_stride(out_blocks_, block_tiles_);
      v_ = layout.floats(threads_ * v_floats_);
    } else {
      block_tiles_ = std::min(tiles_, std::max<std::int64_t>(14, kChunkBytes / (kPoints * 4 * in_blocks_ * kLanes)));
      u_stride_ = (2 * in_blocks_ * kLanes + 1) * kLanes;
      u_floats_ = kPoints * u_stride_;
      u_ = layout.floats(threads_ * u_floats_);
      v_ = layout.floats(kPoints * point_stride(in_blocks_, block_tiles_));
      m_floats_ = kPoints * point_stride(2, block_tiles_);
    }
    m_ = layout.floats(threads_ * m_floats_);
    scratch_bytes_ = layout.bytes();
  }

  void transform_weight_blocks(const void* w, const BlockRange& blocks, float* u) const {
    if (turned_) {
      transform_weights_turned(w, dtype_, weights_, blocks, u_stride_, u);
    } else {
      transform_weights(w, dtype_, weights_, blocks, u_stride_, u);
    }
  }

  OutputEpilogue epilogue(const PlanPointers& pointers) const {
    const void* residual = residual_ == ConvResidual::in_place ? pointers[3] : pointers[4];
    return {static_cast<const float*>(pointers[2]), residual_ == ConvResidual::none ? nullptr : residual, relu_};
  }

  /// The blocks of a range of pairs.
  BlockRange blocks_of_pairs(const Range& pairs) const {
    return {2 * pairs.begin, std::min(2 * pairs.end, out_blocks_)};
  }

  void run_tiles(const PlanPointers& pointers, void* scratch, std::int64_t thread, std::int64_t threads) const {
    float* u = at(scratch, u_);
    float* v = at(scratch, v_) + thread * v_floats_;
    float* m = at(scratch, m_) + thread * m_floats_;
    const BlockRange mine = blocks_of_pairs(Range{0, pairs_}.part(thread, threads));
    transform_weight_blocks(pointers[1], mine, u + mine.begin * in_blocks_ * kLanes * kLanes);
#pragma omp barrier
    const Range tiles = Range{0, tiles_}.part(thread, threads);
    const std::int64_t parts = (tiles.count() + block_tiles_ - 1) / block_tiles_;
    for (std::int64_t part = 0; part < parts; ++part) {
      const Range block = tiles.part(part, parts);
      const TileRange range{block.begin, block.end, block_tiles_};
      transform_input(pointers[0], dtype_, input_, range, {0, in_blocks_}, at(scratch, zeros_), v);
      multiply(v, u, {block.count(), block_tiles_, block_tiles_, in_blocks_, out_blocks_, u_stride_}, m);
      transform_output(m, epilogue(pointers), dtype_, output_, range, {0, out_blocks_}, pointers[3]);
    }
  }

  void run_channels(const PlanPointers& pointers, void* scratch, std::int64_t thread, std::int64_t threads) const {
    float* u = at(scratch, u_) + thread * u_floats_;
    float* m = at(scratch, m_) + thread * m_floats_;
    float* v = at(scratch, v_);
    const std::int64_t chunks = (tiles_ + block_tiles_ - 1) / block_tiles_;
    const Range pairs = Range{0, pairs_}.part(thread, threads);
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      const Range tiles = Range{0, tiles_}.part(chunk, chunks);
      const Range mine = tiles.part(thread, threads);
      transform_input(pointers[0], dtype_, input_, {mine.begin, mine.end, block_tiles_}, {0, in_blocks_},
                      at(scratch, zeros_), v + (mine.begin - tiles.begin) * kLanes);
#pragma omp barrier
      for (std::int64_t pair = pairs.begin; pair < pairs.end; ++pair) {
        const BlockRange blocks = blocks_of_pairs({pair, pair + 1});
        transform_weight_blocks(pointers[1], blocks, u);
        multiply(v, u, {tiles.count(), block_tiles_, block_tiles_, in_blocks_, blocks.end - blocks.begin, u_stride_},
                 m);
        transform_output(m, epilogue(pointers), dtype_, output_, {tiles.begin, tiles.end, block_tiles_}, blocks,
                         pointers[3]);
      }
#pragma omp barrier
    }
  }

  static constexpr std::int64_t kCacheBytes = 256 << 10;
  static constexpr std::int64_t kLeastTiles = 14;
  static constexpr std::int64_t kChunkBytes = 16 << 20;

  DType dtype_;
  bool turned_, relu_;
  ConvResidual residual_;
  WinogradSchedule schedule_;
  WeightShape weights_;
  int threads_;
  TileGrid input_{}, output_{};
  std::int64_t tiles_ = 0, in_blocks_ = 0, out_blocks_ = 0, pairs_ = 0, block_tiles_ = 0;
  std::int64_t u_stride_ = 0, u_floats_ = 0, v_floats_ = 0, m_floats_ = 0;
  std::size_t zeros_ = 0, u_ = 0, v_ = 0, m_ = 0, scratch_bytes_ = 0;
};

}  // namespace

bool winograd_covers(const ConvProblem& problem) {
  const auto& [stride, dilation, padding] = problem.options.window;
  const bool small = std::max({padding.top, padding.left, padding.bottom, padding.right}) <= 2 &&
                     std::min({padding.top, padding.left, padding.bottom, padding.right}) >= 0;
  return static_cast<int>(dnnl_get_effective_cpu_isa()) >= static_cast<int>(dnnl_cpu_isa_avx512_core) &&
         problem.w[1] == 3 && problem.w[2] == 3 && stride == Extent2d{1, 1} && dilation == Extent2d{1, 1} &&
         problem.options.groups == 1 && small;
}

std::size_t winograd_scratch_by_channels(const ConvProblem& problem) {
  const std::int64_t tiles = problem.y[0] * ((problem.y[1] + kTile - 1) / kTile) * ((problem.y[2] + kTile - 1) / kTile);
  const std::int64_t blocks = blocks_of(problem.in_channels()) + blocks_of(problem.out_channels());
  return static_cast<std::size_t>(kPoints * tiles * blocks * kLanes) * sizeof(float);
}

std::unique_ptr<Plan> make_winograd_plan(const ConvProblem& problem, WinogradSchedule schedule) {
  if (problem.kind == ConvKind::backward_weights) return make_winograd_gradient_plan(problem, schedule);
  return std::make_unique<WinogradPlan>(problem, schedule);
}

}  // namespace graft
