#include "engine/base/dtype.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/base/error.h"

namespace graft {

namespace {

float rounded(float value) { return static_cast<float>(bfloat16(value)); }

}  // namespace

TEST(DType, SizesAndNames) {
  EXPECT_EQ(size_of(DType::f32), 4u);
  EXPECT_EQ(size_of(DType::bf16), 2u);
  EXPECT_EQ(size_of(DType::f64), 8u);
  EXPECT_EQ(size_of(DType::i64), 8u);
  EXPECT_EQ(size_of(DType::i32), 4u);
  EXPECT_EQ(size_of(DType::u8), 1u);
  EXPECT_EQ(size_of(DType::f16), 2u);
  for (const DType dtype : {DType::f32, DType::bf16, DType::f64, DType::i64, DType::i32, DType::u8, DType::f16}) {
    EXPECT_EQ(dtype_from_name(name_of(dtype)), dtype);
  }
  EXPECT_TRUE(is_floating(DType::bf16));
  EXPECT_FALSE(is_floating(DType::u8));
}

TEST(DType, UnknownNameIsTheUsersMistake) {
  try {
    dtype_from_name("float");
    FAIL() << "there is no dtype called float";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("'float'"), std::string::npos) << error.what();
  }
}

TEST(Bfloat16, KeepsWhatFits) {
  for (const float value : {0.0f, 1.0f, -1.0f, 0.5f, 1.0078125f, 3.0f, 0x1p-126f, 0x1p127f, 256.0f}) {
    EXPECT_EQ(rounded(value), value);
  }
  EXPECT_TRUE(std::signbit(rounded(-0.0f)));
}

TEST(Bfloat16, RoundsToNearestEven) {
  // Neighbours at 1 are 2^-7 apart; halfway goes to the even one, anything beyond halfway up.
  EXPECT_EQ(rounded(1.0f + 0x1p-8f), 1.0f);
  EXPECT_EQ(rounded(1.0f + 3 * 0x1p-8f), 1.0f + 0x1p-6f);
  EXPECT_EQ(rounded(1.0f + 0x1p-8f + 0x1p-23f), 1.0f + 0x1p-7f);
  EXPECT_EQ(rounded(1.0f + 0x1p-8f - 0x1p-23f), 1.0f);
  EXPECT_EQ(rounded(-1.0f - 0x1p-8f), -1.0f);
}

TEST(Bfloat16, RoundsEveryNumberToItsNearest) {
  // Every bf16 and f32 numbers around the middle to its neighbour above.
  for (std::uint32_t upper = 0; upper < 0x7f80u; upper += 7) {
    const std::uint32_t bits = upper << 16;
    const auto below = std::bit_cast<float>(bits);
    const auto above = std::bit_cast<float>(bits + 0x10000u);
    EXPECT_EQ(rounded(std::bit_cast<float>(bits + 0x7fffu)), below);
    EXPECT_EQ(rounded(std::bit_cast<float>(bits + 0x8000u)), (upper & 1u) != 0 ? above : below);
    EXPECT_EQ(rounded(std::bit_cast<float>(bits + 0x8001u)), above);
  }
}

TEST(Bfloat16, KeepsNanAndInfinity) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rounded(kInfinity), kInfinity);
  EXPECT_EQ(rounded(-kInfinity), -kInfinity);
  EXPECT_EQ(rounded(std::numeric_limits<float>::max()), kInfinity);
  EXPECT_TRUE(std::isnan(rounded(std::numeric_limits<float>::quiet_NaN())));
  // A NaN whose upper half alone would be an infinity.
  EXPECT_TRUE(std::isnan(rounded(std::bit_cast<float>(0x7f800001u))));
  EXPECT_TRUE(std::isnan(rounded(std::bit_cast<float>(0xffffffffu))));
}

}  // namespace graft
