#pragma once

#include "cuda/kernels/conv_problem.h"
#include "cuda/kernels/device/mma_mainloop.cuh"
#include "cuda/kernels/device/pixel_map.cuh"
#include "cuda/kernels/tile_plan.h"
#include "engine/base/dtype.h"

// What the tensor-core convolutions share on the host.

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// Tiles of C [M, N] that the kernels exist for.
inline constexpr TileShape kConvMmaTiles[] = {{128, 128, 1.0}, {128, 64, 0.85}, {64, 64, 0.6}};

/// body(Config{}) of the plan's tile.
template <class T, class Body>
void with_mma_config(const TilePlan& plan, const Body& body) {
  if (plan.tile.n == 128) {
    body(Mma128x128<T>{});
  } else if (plan.tile.m == 128) {
    body(Mma128x64<T>{});
  } else {
    body(Mma64x64<T>{});
  }
}

inline int chunk_elements(DType dtype) { return kChunkBytes / static_cast<int>(size_of(dtype)); }

/// True iff positions, in units of `unit` elements, fit the kernels' 32 bits, and coordinates, with all that taps may
/// add, 15.
inline bool conv_mma_extents_fit(const ConvProblem& p, int unit) {
  constexpr std::int64_t kUnits = std::int64_t{1} << 31;
  constexpr std::int64_t kReach = 1 << 14;
  return p.x_count() / unit < kUnits && p.y_count() / unit < kUnits && p.w_count() < kUnits &&
         p.in_pixels() < kUnits - kReach && p.out_pixels() < kUnits - kReach &&
         p.height + p.padding.top + p.padding.bottom + p.kernel_height * p.dilation.height < kReach &&
         p.width + p.padding.left + p.padding.right + p.kernel_width * p.dilation.width < kReach && p.groups <= 4095;
}

/// x as the implicit matrix [output pixels, taps * channels of a group], counted in units of `unit` elements.
inline PixelMap input_map(const ConvProblem& p, int unit) {
  const auto axis = [](std::int64_t out, std::int64_t taps, std::int64_t stride, std::int64_t before,
                       std::int64_t dilation, std::int64_t image) {
    return PixelAxis{.grid = FastDivisor(out),
                     .taps = FastDivisor(taps),
                     .stride = static_cast<int>(stride),
                     .origin = static_cast<int>(-before),
                     .tap_step = static_cast<int>(dilation),
                     .image = static_cast<int>(image)};
  };
  return {.h = axis(p.out_height, p.kernel_height, p.stride.height, p.padding.top, p.dilation.height, p.height),
          .w = axis(p.out_width, p.kernel_width, p.stride.width, p.padding.left, p.dilation.width, p.width),
          .tap_units = FastDivisor(p.group_channels() / unit),
          .pixel_units = static_cast<int>(p.channels / unit)};
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
