#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A scalar of a TensorBoard event: its tag, such as "eval/top1", and value.
using EventScalar = std::pair<std::string, float>;

/// CRC-32C (Castagnoli; RFC 3720, B.4) of bytes.
std::uint32_t crc32c(std::string_view bytes);

/// One record of a TensorBoard event file: the length, its masked CRC, the data, its masked CRC, little-endian
/// (tensorflow.org, "TFRecord").
std::string event_record(std::string_view data);

/// The record that an event file starts with: `wall_time` in seconds since 1970 and the file's version.
std::string event_file_start(double wall_time);

/// The record of some scalars at one step (tensorflow/core/util/event.proto).
std::string scalar_event(double wall_time, std::int64_t step, std::span<const EventScalar> scalars);

}  // namespace graft
