#include <algorithm>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// Adds the sums of rows [begin, end) of one panel to f64 sums [C], by way of f32 sums over short blocks.
template <class T>
void add_rows(const T* x, std::int64_t channels, const ChannelPanel& panel, std::int64_t begin, std::int64_t end,
              double* sums) {
  constexpr std::int64_t kTiles = 128;
  TileValues block;
  for (std::int64_t row = begin; row < end; row += kTiles * panel.repeat) {
    for_tile_vectors(panel, channels, row, std::min(end, row + kTiles * panel.repeat),
                     [&](std::int64_t i, std::int64_t offset, auto lanes) {
                       block.set(i, block.at(i) + simd::load(x + offset, lanes));
                     });
    block.fold(panel, [&](std::int64_t c, double sum) { sums[c - panel.first] += sum; });
    block.clear();
  }
}

}  // namespace

void CpuBackend::sum_rows(const Tensor& x, const Tensor& y) {
  check_sum_rows(*this, x, y);
  const std::int64_t channels = y.numel();
  if (channels == 0) return;
  enter();
  float* result = y.data<float>();
  const std::int64_t rows = x.numel() / channels;
  with_float_type(x.dtype(), [&](auto type) {
    const auto* data = x.data<decltype(type)>();
    for_panels(channels, [&](const ChannelPanel& panel) {
      std::fill(partial_sums_.begin(), partial_sums_.end(), 0.0);
      const std::int64_t used = parallel_slots(
          threads_, rows, row_grain(channels), [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
            add_rows(data, channels, panel, begin, end, partial_sums_.data() + slot * ChannelPanel::kMaxChannels);
          });
      for (std::int64_t c = 0; c < panel.channels; ++c) {
        double sum = 0.0;
        for (std::int64_t slot = 0; slot < used; ++slot) {
          sum += partial_sums_[static_cast<std::size_t>(slot * ChannelPanel::kMaxChannels + c)];
        }
        result[panel.first + c] = static_cast<float>(sum);
      }
    });
  });
}

}  // namespace graft
