#include "engine/base/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace graft {

namespace {

using Words = std::array<std::uint32_t, 4>;

}  // namespace

// The known answers of philox4x32-10 that Random123 ships (kat_vectors).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, 0), (Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(philox4x32({0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu}, 0xffffffffffffffffu),
            (Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  // Digits of pi.
  EXPECT_EQ(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, 0x299f31d0a4093822u),
            (Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

TEST(RandomStream, IsAFunctionOfItsFourKeys) {
  const RandomStream random{.seed = 5, .stream = 9};
  EXPECT_EQ(random.words(3, 4), random.words(3, 4));
  const Words words = random.words(3, 4);
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(random.word(3, 16 + i), words[i]);
  // Each key changes the numbers, in its lower and its upper half.
  const std::uint64_t high = std::uint64_t{1} << 32;
  EXPECT_NE(random.words(4, 4), words);
  EXPECT_NE(random.words(3 + high, 4), words);
  EXPECT_NE(random.words(3, 5), words);
  EXPECT_NE(random.words(3, 4 + high), words);
  EXPECT_NE((RandomStream{6, 9}.words(3, 4)), words);
  EXPECT_NE((RandomStream{5 + high, 9}.words(3, 4)), words);
  EXPECT_NE((RandomStream{5, 10}.words(3, 4)), words);
  EXPECT_NE((RandomStream{5, 9 + high}.words(3, 4)), words);
  // Equal changes of two of them do not cancel.
  EXPECT_NE((RandomStream{5 + high, 9 ^ high}.words(3, 4)), words);
  EXPECT_NE((RandomStream{9, 5}.words(3, 4)), words);
  EXPECT_NE((RandomStream{5 ^ 1, 9}.words(3 + high, 4)), (RandomStream{5, 9}.words(3, 4)));
}

// The first outputs of SplitMix64 seeded with 0 and 1, as its authors' program prints them.
TEST(MixBits, KnownAnswers) {
  constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15u;
  EXPECT_EQ(mix_bits(kStep), 0xe220a8397b1dcdafu);
  EXPECT_EQ(mix_bits(2 * kStep), 0x6e789e6aa1b965f4u);
  EXPECT_EQ(mix_bits(1 + kStep), 0x910a2dec89025cc1u);
}

TEST(RandomStream, BelowStaysBelowAndReachesEverything) {
  const RandomStream random{.seed = 1, .stream = 2};
  for (const std::uint64_t bound : {1u, 2u, 3u, 10u, 1000u}) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < 20 * bound; ++i) {
      const std::uint64_t value = random.below(0, i, bound);
      ASSERT_LT(value, bound);
      seen.insert(value);
    }
    // A value stays unseen with probability e^-20.
    EXPECT_EQ(seen.size(), bound);
  }
  const std::uint64_t largest = 0xffffffffu;
  EXPECT_LT(random.below(0, 0, largest), largest);
}

TEST(RandomStream, BelowIsUniform) {
  const RandomStream random{.seed = 3, .stream = 4};
  constexpr std::uint64_t kBound = 7;
  constexpr double kDraws = 70000.0;
  std::vector<double> counts(kBound);
  for (std::uint64_t i = 0; i < 70000; ++i) counts[random.below(1, i, kBound)] += 1.0;
  double chi_square = 0.0;
  for (const double count : counts) {
    const double expected = kDraws / kBound;
    chi_square += (count - expected) * (count - expected) / expected;
  }
  EXPECT_LT(chi_square, 27.9);  // 6 degrees of freedom: exceeded by chance once in ten thousand
}

TEST(Uniform, StaysInTheHalfOpenUnitInterval) {
  EXPECT_EQ(uniform_float(0), 0.0f);
  EXPECT_EQ(uniform_float(0xffffffffu), 1.0f - 0x1p-24f);
  EXPECT_EQ(uniform_float(0x80000000u), 0.5f);
}

TEST(Normal, HasTheMomentsOfANormal) {
  const RandomStream random{.seed = 11, .stream = 12};
  constexpr int kPairs = 50000;
  double sum = 0.0;
  double squares = 0.0;
  double fourths = 0.0;
  double products = 0.0;
  for (std::uint64_t i = 0; i < kPairs; ++i) {
    const Words words = random.words(0, i);
    const auto [a, b] = normal_pair(words[0], words[1]);
    for (const double value : {a, b}) {
      sum += value;
      squares += value * value;
      fourths += value * value * value * value;
    }
    products += a * b;
  }
  constexpr double kCount = 2.0 * kPairs;
  // Five standard deviations of each estimate: variances 1, 2, 96 and 1.
  EXPECT_NEAR(sum / kCount, 0.0, 5.0 / std::sqrt(kCount));
  EXPECT_NEAR(squares / kCount, 1.0, 5.0 * std::sqrt(2.0 / kCount));
  EXPECT_NEAR(fourths / kCount, 3.0, 5.0 * std::sqrt(96.0 / kCount));
  EXPECT_NEAR(products / kPairs, 0.0, 5.0 / std::sqrt(kPairs));
}

TEST(Normal, IsFiniteAtTheRims) {
  for (const std::uint32_t first : {0u, 0xffffffffu}) {
    for (const std::uint32_t second : {0u, 0xffffffffu}) {
      EXPECT_TRUE(std::isfinite(normal_pair(first, second)[0]));
      EXPECT_TRUE(std::isfinite(normal_pair(first, second)[1]));
    }
  }
}

TEST(StreamOf, IsFnv1a) {
  // The published test vectors of FNV-1a, 64 bits.
  EXPECT_EQ(stream_of(""), 0xcbf29ce484222325u);
  EXPECT_EQ(stream_of("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(stream_of("foobar"), 0x85944171f73967e8u);
}

}  // namespace graft
