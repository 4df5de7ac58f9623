#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <type_traits>

#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

// How kernels walk over a matrix [rows, channels] with per-channel values at hand, whatever the number of channels.

namespace graft {

/// A range of channels whose per-channel values fit the nearest caches. Where there are few channels, several rows
/// follow each other in one tile and the values are repeated: 3 channels then run through full vectors as 64 do.
struct ChannelPanel {
  static constexpr std::int64_t kMaxChannels = 2048;
  static constexpr std::int64_t kMaxWidth = kMaxChannels;

  std::int64_t first = 0;
  std::int64_t channels = 0;
  std::int64_t repeat = 1;  ///< rows a tile
  std::int64_t width = 0;   ///< elements a tile: repeat * channels

  /// The panel of the matrix's channels that begins at `first`.
  static ChannelPanel at(std::int64_t first, std::int64_t all_channels) {
    constexpr std::int64_t kLeastWidth = 128;
    ChannelPanel panel{.first = first, .channels = std::min(kMaxChannels, all_channels - first)};
    if (all_channels < kLeastWidth) {
      const std::int64_t whole_vectors = simd::kLanes / std::gcd(simd::kLanes, all_channels);
      const std::int64_t step = whole_vectors * all_channels;
      panel.repeat = (kLeastWidth + step - 1) / step * whole_vectors;
    }
    panel.width = panel.repeat * panel.channels;
    return panel;
  }
};

/// body(panel) for the panels of `channels` channels.
template <class Body>
void for_panels(std::int64_t channels, const Body& body) {
  for (std::int64_t first = 0; first < channels; first += ChannelPanel::kMaxChannels) {
    body(ChannelPanel::at(first, channels));
  }
}

/// One f32 for each element of a tile.
class TileValues {
 public:
  simd::f32x8 at(std::int64_t i) const { return simd::load(values_.data() + i); }
  void set(std::int64_t i, simd::f32x8 value) { simd::store(values_.data() + i, value); }
  float operator[](std::int64_t i) const { return values_[static_cast<std::size_t>(i)]; }
  void clear() { values_.fill(0.0f); }

  /// value(c) for each channel c of the matrix that the panel covers, repeated over the tile's rows.
  template <class Value>
  void spread(const ChannelPanel& panel, const Value& value) {
    for (std::int64_t i = 0; i < panel.channels; ++i) {
      values_[static_cast<std::size_t>(i)] = static_cast<float>(value(panel.first + i));
    }
    for (std::int64_t i = panel.channels; i < panel.width; ++i) {
      values_[static_cast<std::size_t>(i)] = values_[static_cast<std::size_t>(i - panel.channels)];
    }
  }

  /// add(c, sum) for each channel c: the sum in f64 over the tile's rows.
  template <class Add>
  void fold(const ChannelPanel& panel, const Add& add) const {
    for (std::int64_t i = 0; i < panel.channels; ++i) {
      double sum = 0.0;
      for (std::int64_t j = i; j < panel.width; j += panel.channels) sum += (*this)[j];
      add(panel.first + i, sum);
    }
  }

 private:
  alignas(32) std::array<float, ChannelPanel::kMaxWidth> values_{};
};

/// Runs over the panel's part of rows [begin, end): body(i, offset, lanes) for vector i of a tile, which stands at
/// `offset` in the matrix. Memory is read in its order: taking two or four tiles at once would spare loads and
/// stores of per-channel values, and was measured at half the speed, since the processor no longer foresees what is
/// read next.
template <class Body>
inline __attribute__((always_inline)) void for_tile_vectors(const ChannelPanel& panel, std::int64_t all_channels,
                                                            std::int64_t begin, std::int64_t end, const Body& body) {
  for (std::int64_t row = begin; row < end; row += panel.repeat) {
    const std::int64_t offset = row * all_channels + panel.first;
    const std::int64_t length = row + panel.repeat <= end ? panel.width : (end - row) * all_channels;
    simd::for_vectors(
        0, length, [=](std::int64_t i, auto lanes) __attribute__((always_inline)) { body(i, offset + i, lanes); });
  }
}

/// add(c, sum) for the panel's channels c, with the sum of term(i, offset, lanes) over rows [begin, end), called as
/// for_tile_vectors calls: in f32 over short blocks of rows, in f64 over those. add comes once a block.
template <class Term, class Add>
inline __attribute__((always_inline)) void sum_panel_rows(const ChannelPanel& panel, std::int64_t all_channels,
                                                          std::int64_t begin, std::int64_t end, const Term& term,
                                                          const Add& add) {
  constexpr std::int64_t kTiles = 128;
  TileValues block;
  for (std::int64_t row = begin; row < end; row += kTiles * panel.repeat) {
    for_tile_vectors(
        panel, all_channels, row, std::min(end, row + kTiles * panel.repeat),
        [&](std::int64_t i, std::int64_t offset, auto lanes)
            __attribute__((always_inline)) { block.set(i, block.at(i) + term(i, offset, lanes)); });
    block.fold(panel, add);
    block.clear();
  }
}

/// Blocks of rows from the last to the first: what a pass before this one read last is still in the cache.
template <class Body>
void for_blocks_backwards(std::int64_t begin, std::int64_t end, std::int64_t rows, const Body& body) {
  for (std::int64_t block = (end - begin + rows - 1) / rows - 1; block >= 0; --block) {
    body(begin + block * rows, std::min(end, begin + (block + 1) * rows));
  }
}

/// Rows that a thread takes at least, in whole tiles.
inline std::int64_t row_grain(std::int64_t channels) {
  const std::int64_t repeat = ChannelPanel::at(0, channels).repeat;
  const std::int64_t rows = std::max<std::int64_t>(1, kElementGrain / channels);
  return (rows + repeat - 1) / repeat * repeat;
}

}  // namespace graft
