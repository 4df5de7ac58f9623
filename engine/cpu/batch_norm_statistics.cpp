#include "engine/cpu/batch_norm_statistics.h"

#include <algorithm>

#include "engine/cpu/channel_panel.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"

namespace graft {

namespace {

/// Mean and sum of squared deviations of `count` rows, f64 [C] each.
struct Moments {
  double count;
  double* mean;
  double* squares;

  /// Joins `rows` rows of channel c with the given mean and sum of squared deviations. `count` is updated by the
  /// caller, once for all channels.
  void merge(std::int64_t c, double rows, double other_mean, double other_squares) const {
    const double share = rows / (count + rows);
    const double delta = other_mean - mean[c];
    mean[c] += delta * share;
    squares[c] += other_squares + delta * delta * count * share;
  }
};

template <class T>
void sum_tiles(const T* x, std::int64_t channels, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
               TileValues& sums) {
  for_tile_vectors(panel, channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
    sums.set(i, sums.at(i) + simd::load(x + offset, lanes));
  });
}

/// Sums and sums of squares of x - centre.
template <class T>
void sum_deviations(const T* x, std::int64_t channels, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
                    const TileValues& centre, TileValues& sums, TileValues& squares) {
  for_tile_vectors(panel, channels, begin, end, [&](std::int64_t i, std::int64_t offset, auto lanes) {
    const simd::f32x8 deviation = simd::keep(simd::load(x + offset, lanes) - centre.at(i), lanes);
    sums.set(i, sums.at(i) + deviation);
    squares.set(i, squares.at(i) + deviation * deviation);
  });
}

/// Moments of rows [begin, end) of one panel. The first block takes its centre from itself, in two passes over few
/// rows; each later one from all rows before it. That is stable: what a block far from the centre loses in its sum of
/// squares is small against its own contribution to the result.
template <class T>
void panel_moments(const T* x, std::int64_t channels, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
                   Moments moments) {
  constexpr std::int64_t kFirstTiles = 32;
  constexpr std::int64_t kTiles = 128;  // so many additions lose the f32 sums a few bits at most
  TileValues centre;
  TileValues sums;
  TileValues squares;
  std::int64_t row = begin;
  while (row < end) {
    const bool first = row == begin;
    const std::int64_t last = std::min(end, row + (first ? kFirstTiles : kTiles) * panel.repeat);
    const auto rows = static_cast<double>(last - row);
    if (first) {
      sum_tiles(x, channels, panel, row, last, sums);
      sums.fold(panel, [&](std::int64_t c, double sum) { moments.mean[c] = sum / rows; });
    }
    centre.spread(panel, [&](std::int64_t c) { return moments.mean[c]; });
    sums.clear();
    squares.clear();
    sum_deviations(x, channels, panel, row, last, centre, sums, squares);
    std::array<double, ChannelPanel::kMaxChannels> shift;
    sums.fold(panel, [&](std::int64_t c, double sum) { shift[static_cast<std::size_t>(c - panel.first)] = sum; });
    squares.fold(panel, [&](std::int64_t c, double square) {
      const auto i = static_cast<std::size_t>(c - panel.first);
      const double mean = static_cast<double>(centre[c - panel.first]) + shift[i] / rows;
      moments.merge(c, rows, mean, std::max(0.0, square - shift[i] * shift[i] / rows));
    });
    moments.count += rows;
    row = last;
  }
}

}  // namespace

std::size_t BatchNormScratch::bytes(std::int64_t channels, int slots) {
  const auto c = static_cast<std::size_t>(channels);
  const auto s = static_cast<std::size_t>(slots);
  return s * (2 * c + 1) * sizeof(double) + 2 * c * sizeof(float);
}

BatchNormScratch::BatchNormScratch(const Tensor& scratch, std::int64_t channels, int slots)
    : channels_(channels),
      sums_(static_cast<double*>(scratch.raw())),
      counts_(sums_ + slots * 2 * channels),
      coefficients_(reinterpret_cast<float*>(counts_ + slots)) {}

void batch_norm_statistics(const Tensor& x, int slots, const BatchNormScratch& scratch) {
  const std::int64_t channels = x.dim(-1);
  const std::int64_t rows = x.numel() / channels;
  std::int64_t used = 0;
  with_float_type(x.dtype(), [&](auto type) {
    const auto* data = x.data<decltype(type)>();
    used =
        parallel_slots(slots, rows, row_grain(channels), [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
          const Moments moments{0.0, scratch.sums(slot), scratch.sums(slot) + channels};
          std::fill(moments.mean, moments.mean + 2 * channels, 0.0);
          for_panels(channels,
                     [&](const ChannelPanel& panel) { panel_moments(data, channels, panel, begin, end, moments); });
          scratch.counts()[slot] = static_cast<double>(end - begin);
        });
  });
  Moments total{scratch.counts()[0], scratch.sums(0), scratch.sums(0) + channels};
  for (std::int64_t slot = 1; slot < used; ++slot) {
    const double* other = scratch.sums(slot);
    for (std::int64_t c = 0; c < channels; ++c) total.merge(c, scratch.counts()[slot], other[c], other[channels + c]);
    total.count += scratch.counts()[slot];
  }
}

}  // namespace graft
