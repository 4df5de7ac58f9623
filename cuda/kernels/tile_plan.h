#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "cuda/kernels/device/grid.cuh"
#include "cuda/runtime/device.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// A tile of a product that kernels exist for, and the share of the largest tile's rate at which its blocks work when
/// they fill the device: smaller tiles read more for each product.
struct TileShape {
  int m;
  int n;
  double rate;
};

/// How a product is cut: tiles of C, and ranges of K that are summed afterwards in ascending order.
struct TilePlan {
  TileShape tile{};
  int splits = 1;
  int depths_a_split = 0;  ///< tiles of depth in each range but the last

  std::int64_t rows(std::int64_t m) const { return divide_up(m, tile.m); }
  std::int64_t columns(std::int64_t n) const { return divide_up(n, tile.n); }
};

/// A product as far as its cut depends on it: [m, n] for each of `batch`, from `depths` tiles of depth.
struct TileDemand {
  std::int64_t m;
  std::int64_t n;
  std::int64_t batch;
  std::int64_t depths;
  int depth_elements;  ///< elements of K in a tile of depth
  int max_splits;
};

/// The cut with the least time by a simple model, a fixed rule of shape and multiprocessors: blocks are spread over the
/// multiprocessors; one block alone on a multiprocessor reaches two thirds of its rate; a block's start and end cost as
/// much as kOverheadDepths depths; partial sums are written and read once at the speed of memory.
inline TilePlan plan_tiles(std::span<const TileShape> shapes, const TileDemand& demand, const Device& device) {
  constexpr double kOverheadDepths = 4.0;
  constexpr double kAloneLoad = 1.5;
  constexpr double kProductsABytesTime = 60.0;  // multiply-adds in the time that memory takes for a byte, each a share
  constexpr double kSumLaunchProducts = 4e6;    // a second kernel's start, in multiply-adds of one multiprocessor
  TilePlan best;
  double best_time = 0.0;
  for (const TileShape& shape : shapes) {
    const auto tiles = static_cast<double>(divide_up(demand.m, shape.m) * divide_up(demand.n, shape.n) * demand.batch);
    int previous = 0;
    for (int wanted = 1; wanted <= demand.max_splits && wanted <= std::max<std::int64_t>(demand.depths, 1); ++wanted) {
      const auto depths = static_cast<int>(divide_up(demand.depths, wanted));
      const auto splits = static_cast<int>(std::max<std::int64_t>(divide_up(demand.depths, std::max(depths, 1)), 1));
      if (splits == previous) continue;
      previous = splits;
      const double blocks = tiles * splits;
      const double turns = std::max(
          static_cast<double>(divide_up(static_cast<std::int64_t>(blocks), device.multiprocessors)), kAloneLoad);
      double time = turns * shape.m * shape.n * demand.depth_elements / shape.rate * (depths + kOverheadDepths);
      if (splits > 1) {
        const double outputs =
            static_cast<double>(demand.m) * static_cast<double>(demand.n) * static_cast<double>(demand.batch);
        time +=
            outputs * (2.0 * splits + 1.0) * 4.0 / device.multiprocessors * kProductsABytesTime + kSumLaunchProducts;
      }
      if (best.splits > 0 && best.tile.m > 0 && time >= best_time) continue;
      best = {.tile = shape, .splits = splits, .depths_a_split = depths};
      best_time = time;
    }
  }
  return best;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
