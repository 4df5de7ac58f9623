#include "transfer/event_file.h"

#include <array>
#include <bit>
#include <cstddef>
#include <protozero/pbf_writer.hpp>

namespace graft {
namespace {

constexpr std::uint32_t kCastagnoli = 0x82f63b78;  // the polynomial, bits reversed

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

/// TFRecord stores checksums turned and shifted, so that data which holds checksums does not look checked.
std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8u; }

template <class Integer>
std::string little_endian(Integer value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) bytes += static_cast<char>(value >> (8 * i) & 0xff);
  return bytes;
}

// Field numbers of event.proto and summary.proto.
enum Event : protozero::pbf_tag_type { kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5 };
enum Summary : protozero::pbf_tag_type { kValue = 1 };
enum Value : protozero::pbf_tag_type { kTag = 1, kSimpleValue = 2 };

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

std::string event_record(std::string_view data) {
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  std::string record = length + little_endian(masked(crc32c(length)));
  record += data;
  record += little_endian(masked(crc32c(data)));
  return record;
}

std::string event_file_start(double wall_time) {
  std::string data;
  protozero::pbf_writer event(data);
  event.add_double(kWallTime, wall_time);
  event.add_string(kFileVersion, "brain.Event:2");
  return event_record(data);
}

std::string scalar_event(double wall_time, std::int64_t step, std::span<const EventScalar> scalars) {
  std::string data;
  protozero::pbf_writer event(data);
  event.add_double(kWallTime, wall_time);
  event.add_int64(kStep, step);
  {
    protozero::pbf_writer summary(event, kSummary);
    for (const auto& [tag, number] : scalars) {
      protozero::pbf_writer value(summary, kValue);
      value.add_string(kTag, tag);
      value.add_float(kSimpleValue, number);
    }
  }
  return event_record(data);
}

}  // namespace graft
