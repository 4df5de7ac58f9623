#include "datasets/resize_passes.h"

#include <algorithm>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

// A coefficient has 23 bits and a sign, a pixel 8: their products are summed in 32 bits without overflow. With AVX2 a
// coefficient is split into two of 16 bits, high * 2^11 + low, and each half is multiplied and added in pairs of taps
// (vpmaddwd), twice as many a cycle as whole products. Both ways give the same integers.
namespace graft {
namespace {

constexpr std::int32_t kHalf = 1 << (kResizeBits - 1);

std::uint8_t to_pixel(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kResizeBits, 0, 255)); }

void columns_of_row(const std::uint8_t* source, std::size_t channels, const ResizeAxis& axis, std::uint8_t* out) {
  for (std::int64_t x = 0; x < axis.count; ++x) {
    const auto at = static_cast<std::size_t>(x);
    const std::int32_t* coefficients = axis.of(x);
    const std::uint8_t* from = source + static_cast<std::size_t>(axis.first[at]) * channels;
    for (std::size_t c = 0; c < channels; ++c) {
      std::int32_t sum = kHalf;
      for (std::int32_t k = 0; k < axis.taps[at]; ++k)
        sum += coefficients[k] * from[static_cast<std::size_t>(k) * channels + c];
      out[at * channels + c] = to_pixel(sum);
    }
  }
}

/// Bytes [begin, end) of one result row.
void bytes_of_row(const std::uint8_t* source, std::size_t stride, const std::int32_t* coefficients, std::int32_t taps,
                  std::size_t begin, std::size_t end, std::uint8_t* out) {
  for (std::size_t i = begin; i < end; ++i) {
    std::int32_t sum = kHalf;
    for (std::int32_t k = 0; k < taps; ++k) sum += coefficients[k] * source[static_cast<std::size_t>(k) * stride + i];
    out[i] = to_pixel(sum);
  }
}

#ifdef __AVX2__

constexpr int kLowBits = 11;
constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
constexpr std::size_t kGroup = 4;            // taps of one step along a row
constexpr std::size_t kHalvesPerGroup = 32;  // 16 high and 16 low ones, as they meet the pixels
constexpr std::ptrdiff_t kReadBeyond = 16;   // a step reads 16 bytes from its first tap on

/// The halves of a group of 4 taps: in each 128-bit lane one pair of taps, once for each of 4 channels.
void split_coefficients(const ResizeAxis& axis, std::vector<std::int16_t>& halves) {
  const std::size_t groups = axis.coefficients.size() / kGroup;
  halves.resize(groups * kHalvesPerGroup);
  for (std::size_t g = 0; g < groups; ++g) {
    for (std::size_t i = 0; i < 16; ++i) {
      const std::int32_t coefficient = axis.coefficients[g * kGroup + i / 8 * 2 + i % 2];
      halves[g * kHalvesPerGroup + i] = static_cast<std::int16_t>(coefficient >> kLowBits);
      halves[g * kHalvesPerGroup + 16 + i] = static_cast<std::int16_t>(coefficient & kLowMask);
    }
  }
}

__m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

/// One row of RGB pixels. Reads up to kReadBeyond bytes from the last tap on.
void columns_of_rgb_row(const std::uint8_t* source, const ResizeAxis& axis, const std::int16_t* halves,
                        std::uint8_t* out) {
  constexpr char z = -1;                                                                  // gives 0
  const __m256i pairs = _mm256_setr_epi8(0, z, 3, z, 1, z, 4, z, 2, z, 5, z, z, z, z, z,  //
                                         6, z, 9, z, 7, z, 10, z, 8, z, 11, z, z, z, z, z);
  const std::size_t groups = axis.stride / kGroup;
  for (std::int64_t x = 0; x < axis.count; ++x) {
    const auto at = static_cast<std::size_t>(x);
    const std::uint8_t* from = source + static_cast<std::size_t>(axis.first[at]) * 3;
    const std::int16_t* half = halves + at * groups * kHalvesPerGroup;
    __m256i high = _mm256_setzero_si256();
    __m256i low = _mm256_setzero_si256();
    for (std::int32_t k = 0; k < axis.taps[at]; k += kGroup) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      const __m256i pixels = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), pairs);
      high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, load(half)));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, load(half + 16)));
      from += 3 * kGroup;
      half += kHalvesPerGroup;
    }
    const __m256i whole = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kResizeBits);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
    const int pixel = _mm_cvtsi128_si32(sum);
    // The fourth byte falls on the next pixel, which comes next.
    std::memcpy(out + 3 * at, &pixel, x + 1 < axis.count ? 4 : 3);
  }
}

/// 16 result bytes: the sums of 8 and 8 of them.
struct RowSums {
  __m256i high[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256i low[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};

  /// Two rows' bytes with a coefficient each.
  void add(__m128i first, __m128i second, __m256i high_pair, __m256i low_pair) {
    const __m256i pixels[2] = {_mm256_cvtepu8_epi16(_mm_unpacklo_epi8(first, second)),
                               _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(first, second))};
    for (int i = 0; i < 2; ++i) {
      high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(pixels[i], high_pair));
      low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(pixels[i], low_pair));
    }
  }

  __m128i bytes() const {
    __m256i sums[2];
    for (int i = 0; i < 2; ++i) {
      const __m256i whole = _mm256_add_epi32(_mm256_slli_epi32(high[i], kLowBits), low[i]);
      sums[i] = _mm256_srai_epi32(_mm256_add_epi32(whole, _mm256_set1_epi32(kHalf)), kResizeBits);
    }
    // packs works within lanes: 0-3 8-11 | 4-7 12-15
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(sums[0], sums[1]), 0b11011000);
    return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
};

__m256i pair_of(std::int32_t first, std::int32_t second) {
  return _mm256_set1_epi32(static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffffu) |
                                                     static_cast<std::uint32_t>(second) << 16));
}

/// One result row's first bytes; returns how many, a multiple of 16. Coefficients are given for an even number of taps.
std::size_t vectors_of_row(const std::uint8_t* source, std::size_t stride, const std::int32_t* coefficients,
                           std::int32_t taps, std::size_t bytes, std::uint8_t* out) {
  std::size_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    RowSums sums;
    for (std::int32_t k = 0; k < taps; k += 2) {
      const std::uint8_t* row = source + static_cast<std::size_t>(k) * stride + i;
      const __m128i first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
      const __m128i second =
          k + 1 < taps ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + stride)) : _mm_setzero_si128();
      sums.add(first, second, pair_of(coefficients[k] >> kLowBits, coefficients[k + 1] >> kLowBits),
               pair_of(coefficients[k] & kLowMask, coefficients[k + 1] & kLowMask));
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), sums.bytes());
  }
  return i;
}

#endif

}  // namespace

void resize_columns(const ImageView& source, ResizeScratch& scratch, std::uint8_t* out, std::size_t out_stride) {
  const auto channels = static_cast<std::size_t>(source.channels);
#ifdef __AVX2__
  if (channels == 3) {
    split_coefficients(scratch.columns, scratch.halves);
    const std::size_t bytes = static_cast<std::size_t>(source.width) * channels;
    const std::uint8_t* end = source.row(source.height - 1) + bytes;
    for (std::int64_t y = 0; y < source.height; ++y) {
      const std::uint8_t* row = source.row(y);
      if (end - row < static_cast<std::ptrdiff_t>(bytes) + kReadBeyond) {
        std::uint8_t* copy = scratch.row.grow(bytes + kReadBeyond);
        std::memcpy(copy, row, bytes);
        std::memset(copy + bytes, 0, kReadBeyond);
        row = copy;
      }
      columns_of_rgb_row(row, scratch.columns, scratch.halves.data(), out + static_cast<std::size_t>(y) * out_stride);
    }
    return;
  }
#endif
  for (std::int64_t y = 0; y < source.height; ++y) {
    columns_of_row(source.row(y), channels, scratch.columns, out + static_cast<std::size_t>(y) * out_stride);
  }
}

void resize_rows(const ImageView& source, const ResizeAxis& rows, std::int64_t above, std::uint8_t* out,
                 std::size_t out_stride) {
  const std::size_t bytes = static_cast<std::size_t>(source.width * source.channels);
  for (std::int64_t y = 0; y < rows.count; ++y) {
    const auto at = static_cast<std::size_t>(y);
    const std::uint8_t* from = source.row(rows.first[at] - above);
    std::uint8_t* to = out + at * out_stride;
    std::size_t done = 0;
#ifdef __AVX2__
    done = vectors_of_row(from, source.row_bytes, rows.of(y), rows.taps[at], bytes, to);
#endif
    bytes_of_row(from, source.row_bytes, rows.of(y), rows.taps[at], done, bytes, to);
  }
}

}  // namespace graft
