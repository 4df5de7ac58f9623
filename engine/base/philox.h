#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace graft {

/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a pure function from a 128-bit
/// counter and a 64-bit key to four 32-bit words.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(product0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

/// A bijection of 64-bit words in which every input bit reaches every output bit: the finaliser of SplitMix64 (Steele,
/// Lea and Flood 2014, "Fast splittable pseudorandom number generators", with Stafford's constants of variant 13).
constexpr std::uint64_t mix_bits(std::uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  return word ^ (word >> 31);
}

/// A random stream: which numbers a consumer draws is a function of (seed, stream, step, index) alone. Step and index
/// are the counter, so that no two draws of a stream share one; seed and stream are hashed into the key.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint64_t stream = 0;

  /// The key of Philox: every bit of it depends on every bit of seed and stream.
  constexpr std::uint64_t key() const { return mix_bits(mix_bits(seed + 0x9e3779b97f4a7c15u) + stream); }

  /// Four words number `index` of step `step`.
  std::array<std::uint32_t, 4> words(std::uint64_t step, std::uint64_t index) const {
    return philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                       static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(step >> 32)},
                      key());
  }

  /// Word `index` of step `step`: word index % 4 of block index / 4.
  std::uint32_t word(std::uint64_t step, std::uint64_t index) const { return words(step, index / 4)[index % 4]; }

  /// Uniform integer below `bound` (0 < bound < 2^32), by multiply-shift of a 64-bit word: bias below bound / 2^64.
  std::uint64_t below(std::uint64_t step, std::uint64_t index, std::uint64_t bound) const {
    const auto block = words(step, index);
    return (block[1] * bound + ((block[0] * bound) >> 32)) >> 32;
  }
};

/// Uniform in [0, 1): the upper 24 bits of a word.
inline float uniform_float(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

/// Two standard normal numbers from two words, by Box and Muller in double precision.
inline std::array<double, 2> normal_pair(std::uint32_t first, std::uint32_t second) {
  constexpr double kTwoPi = 6.283185307179586476925;
  const double radius = std::sqrt(-2.0 * std::log((static_cast<double>(first) + 0.5) * 0x1p-32));
  const double angle = kTwoPi * (static_cast<double>(second) + 0.5) * 0x1p-32;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

/// A 64-bit stream number for a name (FNV-1a), so that streams can be keyed by words such as "init:base" or a
/// parameter's name.
constexpr std::uint64_t stream_of(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace graft
