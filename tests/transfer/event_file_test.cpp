#include "transfer/event_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <protozero/pbf_reader.hpp>

namespace graft::testing {
namespace {

template <class T>
T little_endian_at(const std::string& bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(bytes[at + i])) << (8 * i));
  }
  return value;
}

TEST(EventFile, Crc32cHasTheStandardsValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);    // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);  // RFC 3720, B.4
}

TEST(EventFile, ARecordIsLengthChecksumDataChecksum) {
  const std::string record = event_record("abc");
  ASSERT_EQ(record.size(), 8u + 4u + 3u + 4u);
  EXPECT_EQ(little_endian_at<std::uint64_t>(record, 0), 3u);
  EXPECT_EQ(record.substr(12, 3), "abc");
  const auto unmask = [](std::uint32_t masked) {
    const std::uint32_t rotated = masked - 0xa282ead8u;
    return (rotated >> 17) | (rotated << 15);
  };
  EXPECT_EQ(unmask(little_endian_at<std::uint32_t>(record, 8)), crc32c(record.substr(0, 8)));
  EXPECT_EQ(unmask(little_endian_at<std::uint32_t>(record, 15)), crc32c("abc"));
}

TEST(EventFile, ScalarsReadBack) {
  const std::vector<EventScalar> scalars{{"train/loss", 0.5f}, {"eval/top1", 0.25f}};
  const std::string record = scalar_event(1.5, 7, scalars);
  protozero::pbf_reader event(record.data() + 12, record.size() - 16);
  std::vector<EventScalar> read;
  while (event.next()) {
    if (event.tag() == 1) {
      EXPECT_EQ(event.get_double(), 1.5);
    } else if (event.tag() == 2) {
      EXPECT_EQ(event.get_int64(), 7);
    } else {
      ASSERT_EQ(event.tag(), 5u);
      protozero::pbf_reader summary = event.get_message();
      while (summary.next(1)) {
        protozero::pbf_reader value = summary.get_message();
        EventScalar scalar;
        while (value.next()) {
          if (value.tag() == 1) {
            scalar.first = value.get_string();
          } else {
            scalar.second = value.get_float();
          }
        }
        read.push_back(scalar);
      }
    }
  }
  EXPECT_EQ(read, scalars);
}

}  // namespace
}  // namespace graft::testing
