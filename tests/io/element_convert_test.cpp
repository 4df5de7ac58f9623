#include "engine/io/element_convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <vector>

#include "engine/base/error.h"

namespace graft {
namespace {

TEST(ElementConvert, HalfHasItsPublishedValues) {
  EXPECT_EQ(half_to_float(0x0000), 0.0f);
  EXPECT_TRUE(std::signbit(half_to_float(0x8000)));
  EXPECT_EQ(half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(half_to_float(0xc000), -2.0f);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0f);
  EXPECT_EQ(half_to_float(0x0400), 0x1p-14f);
  EXPECT_EQ(half_to_float(0x0001), 0x1p-24f);
  EXPECT_EQ(half_to_float(0x83ff), -1023.0f * 0x1p-24f);
  EXPECT_EQ(half_to_float(0x3555), 0x1.554p-2f);
  EXPECT_EQ(half_to_float(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(half_to_float(0x7e01)));
}

template <class To, class From>
std::vector<To> converted(const std::vector<From>& values, DType from) {
  std::vector<To> result(values.size());
  convert_elements(std::as_bytes(std::span(values)), from, std::as_writable_bytes(std::span(result)), dtype_of<To>());
  return result;
}

TEST(ElementConvert, KeepsValues) {
  const std::vector<float> values = {0.0f, -1.5f, 3.25f, 0x1p-100f};
  EXPECT_EQ(converted<float>(values, DType::f32), values);
  EXPECT_EQ(converted<double>(values, DType::f32), (std::vector<double>{0.0, -1.5, 3.25, 0x1p-100}));
  EXPECT_EQ(converted<float>(std::vector<std::uint16_t>{0x3c00, 0xc000}, DType::f16),
            (std::vector<float>{1.0f, -2.0f}));
  EXPECT_EQ(converted<float>(std::vector<std::uint16_t>{0x3f80, 0xc020}, DType::bf16),
            (std::vector<float>{1.0f, -2.5f}));
  EXPECT_EQ(converted<std::int64_t>(std::vector<std::int32_t>{-7, 8}, DType::i32), (std::vector<std::int64_t>{-7, 8}));
  EXPECT_EQ(converted<bfloat16>(std::vector<double>{1.0 + 0x1p-8, 1.0 + 0x1.8p-7}, DType::f64)[1].bits, 0x3f82);
}

TEST(ElementConvert, RefusesWhatIsNoValue) {
  EXPECT_FALSE(can_convert(DType::i64, DType::f32));
  EXPECT_FALSE(can_convert(DType::f32, DType::f16));
  EXPECT_TRUE(can_convert(DType::u8, DType::u8));
  EXPECT_THROW(converted<float>(std::vector<std::int64_t>{1}, DType::i64), Error);
}

TEST(ElementConvert, TurnsImageWeights) {
  // Element (o, h, w, i) holds its own OIHW position.
  const Shape ohwi{2, 3, 2, 5};
  std::vector<std::int32_t> memory;
  for (int o = 0; o < 2; ++o) {
    for (int h = 0; h < 3; ++h) {
      for (int w = 0; w < 2; ++w) {
        for (int i = 0; i < 5; ++i) memory.push_back(((o * 5 + i) * 3 + h) * 2 + w);
      }
    }
  }
  std::vector<std::int32_t> disk(memory.size());
  ohwi_to_oihw(std::as_bytes(std::span(memory)), ohwi, 4, std::as_writable_bytes(std::span(disk)));
  std::vector<std::int32_t> counted(memory.size());
  std::iota(counted.begin(), counted.end(), 0);
  EXPECT_EQ(disk, counted);
  std::vector<std::int32_t> back(memory.size());
  oihw_to_ohwi(std::as_bytes(std::span(disk)), ohwi, 4, std::as_writable_bytes(std::span(back)));
  EXPECT_EQ(back, memory);
}

}  // namespace
}  // namespace graft
