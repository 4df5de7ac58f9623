#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "cuda/emulator/async_copy.h"
#include "cuda/emulator/scheduler.h"

// Tensor cores, emulated. Each lane loads from shared memory just the elements that its registers would hold for
// mma.sync (so the loads are seen as that lane's, and bytes still on their way are found out), brings them to one
// rendezvous of the warp for the whole depth of a tile, and the last lane to come multiplies for all. Which lane that
// is makes no difference: every sum goes by ascending depth, in f32.

namespace graft::cuda::emulator {

/// f32 as tensor cores read it in tf32: 10 bits of mantissa, halves away from zero (cvt.rna.tf32).
inline float round_to_tf32(float value) {
  if (!std::isfinite(value)) return value;
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) + 0x1000u) & ~0x1fffu);
}

/// The element as the tensor core sees it.
template <class T>
float tile_value(const T* address) {
  check_async_read(address, sizeof(T));
  if constexpr (sizeof(T) == 2) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(address->bits) << 16);
  } else {
    return round_to_tf32(*address);
  }
}

/// A strip of 16 elements of one operand by the depth of a tile, spread over the lanes of a warp: where each of a
/// lane's values belongs. One instruction takes four quarters of 8 elements by half its depth, whose numbers' bits say
/// "8 elements on" (bit ElementBit) and "half a depth on"; a quarter gives a lane one word, of one or two values.
template <class T, int ElementBit>
struct StripLayout {
  static constexpr int kValues = 4 / static_cast<int>(sizeof(T));
  static constexpr int kSteps = 4;
  static constexpr int kStepDepth = 8 * kValues;
  static constexpr int kDepth = kSteps * kStepDepth;
  static constexpr int kLaneValues = kSteps * 4 * kValues;

  /// body(place in the lane's values, element in the strip, depth)
  template <class Body>
  [[gnu::always_inline]] static void for_each(int lane, const Body& body) {
    int place = 0;
    for (int step = 0; step < kSteps; ++step) {
      for (int quarter = 0; quarter < 4; ++quarter) {
        const int element = lane / 4 + (quarter >> ElementBit & 1) * 8;
        const int depth = step * kStepDepth + (quarter >> (1 - ElementBit) & 1) * kStepDepth / 2 + lane % 4 * kValues;
        for (int value = 0; value < kValues; ++value) body(place++, element, depth + value);
      }
    }
  }
};

/// A warp's tile of C, [16 StripsM, 8 StripsN], += A B over the depth of the tiles.
template <class T, int StripsM, int StripsN>
struct WarpProduct {
  using LayoutA = StripLayout<T, 0>;
  using LayoutB = StripLayout<T, 1>;
  static constexpr int kM = StripsM * 16;
  static constexpr int kN = StripsN * 8;
  static constexpr int kDepth = LayoutA::kDepth;

  /// What a lane brings, and the sums that it takes away.
  struct Lane {
    std::array<std::array<float, LayoutA::kLaneValues>, StripsM> a;
    std::array<std::array<float, LayoutB::kLaneValues>, StripsN / 2> b;
    float (*sums)[StripsN][4];
  };
  struct Matrices {
    float a[kM][kDepth];
    float b[kDepth][kN];
    float c[kM][kN];
  };

  // What follows reads and writes what the lanes brought, nothing of the device: the checked build need not look.

  [[gnu::no_sanitize_thread]] static void gather(const WarpSlots& slots, Matrices& dense) {
    for (int lane = 0; lane < 32; ++lane) {
      const auto& brought = *static_cast<const Lane*>(slots[static_cast<std::size_t>(lane)]);
      for (std::size_t strip = 0; strip < StripsM; ++strip) {
        LayoutA::for_each(lane, [&](int place, int m, int k) {
          dense.a[strip * 16 + static_cast<std::size_t>(m)][k] = brought.a[strip][static_cast<std::size_t>(place)];
        });
      }
      for (std::size_t strip = 0; strip < StripsN / 2; ++strip) {
        LayoutB::for_each(lane, [&](int place, int n, int k) {
          dense.b[k][strip * 16 + static_cast<std::size_t>(n)] = brought.b[strip][static_cast<std::size_t>(place)];
        });
      }
      for_each_sum(lane, brought, [&](int m, int n, float sum) { dense.c[m][n] = sum; });
    }
  }

  /// body(row, column, the lane's sum), as m16n8 spreads C.
  template <class Body>
  [[gnu::no_sanitize_thread]] static void for_each_sum(int lane, const Lane& brought, const Body& body) {
    for (int i = 0; i < StripsM; ++i) {
      for (int j = 0; j < StripsN; ++j) {
        for (int e = 0; e < 4; ++e)
          body(i * 16 + lane / 4 + e / 2 * 8, j * 8 + lane % 4 * 2 + e % 2, brought.sums[i][j][e]);
      }
    }
  }

  [[gnu::no_sanitize_thread]] static void complete(const WarpSlots& slots) {
    thread_local Matrices dense;
    gather(slots, dense);
    for (int m = 0; m < kM; ++m) {
      for (int k = 0; k < kDepth; ++k) {
        const float a = dense.a[m][k];
        for (int n = 0; n < kN; ++n) dense.c[m][n] += a * dense.b[k][n];
      }
    }
    for (int lane = 0; lane < 32; ++lane) {
      for_each_sum(lane, *static_cast<const Lane*>(slots[static_cast<std::size_t>(lane)]),
                   [&](int m, int n, float& sum) { sum = dense.c[m][n]; });
    }
  }
};

/// Rows from `row` of A's tile times columns from `column` of B's, added to the calling lane's share of the sums.
template <class TileA, class TileB, int StripsM, int StripsN>
void multiply_tiles(const TileA& a, int row, const TileB& b, int column, float (&sums)[StripsM][StripsN][4]) {
  using Product = WarpProduct<typename TileA::Element, StripsM, StripsN>;
  typename Product::Lane mine;
  mine.sums = sums;
  for (std::size_t strip = 0; strip < StripsM; ++strip) {
    Product::LayoutA::for_each(lane(), [&](int place, int m, int k) {
      mine.a[strip][static_cast<std::size_t>(place)] = tile_value(a.element(row + static_cast<int>(strip) * 16 + m, k));
    });
  }
  for (std::size_t strip = 0; strip < StripsN / 2; ++strip) {
    Product::LayoutB::for_each(lane(), [&](int place, int n, int k) {
      mine.b[strip][static_cast<std::size_t>(place)] =
          tile_value(b.element(column + static_cast<int>(strip) * 16 + n, k));
    });
  }
  warp_rendezvous("a product of tiles", 0xffffffffu, &mine, &Product::complete);
}

}  // namespace graft::cuda::emulator
