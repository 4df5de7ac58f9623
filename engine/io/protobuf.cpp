#include "engine/io/protobuf.h"

#include <algorithm>
#include <cstring>

#include "engine/base/error.h"

namespace graft {

void append_varints(protozero::pbf_reader& message, std::vector<std::int64_t>& values, std::size_t most,
                    std::string_view what) {
  if (message.wire_type() == ProtobufWire::length_delimited) {
    for (const std::int64_t value : message.get_packed_int64()) {
      if (values.size() == most) damaged("{} has more than {} values", what, most);
      values.push_back(value);
    }
  } else if (message.wire_type() == ProtobufWire::varint) {
    if (values.size() == most) damaged("{} has more than {} values", what, most);
    values.push_back(message.get_int64());
  } else {
    message.skip();
  }
}

void ProtobufElements::add_fixed(protozero::pbf_reader& message) {
  std::span<const std::byte> run;
  switch (message.wire_type()) {
    case ProtobufWire::length_delimited:
      run = bytes_of(message.get_view());
      break;
    case ProtobufWire::fixed32:
    case ProtobufWire::fixed64: {
      message.skip();
      const auto size = message.wire_type() == ProtobufWire::fixed32 ? 4 : 8;
      run = std::as_bytes(std::span(message.data().data() - size, static_cast<std::size_t>(size)));
      break;
    }
    default:
      message.skip();
  }
  if (run.empty()) return;
  runs_.push_back(run);
  fixed_bytes_ += run.size();
}

void ProtobufElements::add_varints(protozero::pbf_reader& message) {
  std::span<const std::byte> run;
  if (message.wire_type() == ProtobufWire::length_delimited) {
    run = bytes_of(message.get_view());
  } else if (message.wire_type() == ProtobufWire::varint) {
    const char* const begin = message.data().data();
    message.skip();
    run = std::as_bytes(std::span(begin, static_cast<std::size_t>(message.data().data() - begin)));
  } else {
    message.skip();
  }
  if (run.empty()) return;
  // The last byte of each varint has its upper bit clear.
  const auto last = [](std::byte byte) { return (byte & std::byte{0x80}) == std::byte{0}; };
  if (!last(run.back())) damaged("its protobuf data are damaged or cut off (varint)");
  runs_.push_back(run);
  varints_ += static_cast<std::uint64_t>(std::count_if(run.begin(), run.end(), last));
}

std::optional<std::span<const std::byte>> ProtobufElements::mapped() const {
  if (varints_ != 0 || runs_.size() > 1) return std::nullopt;
  return runs_.empty() ? std::span<const std::byte>() : runs_.front();
}

void ProtobufElements::copy(std::size_t element, std::span<std::byte> destination) const {
  check(nbytes(element) == destination.size(), "[protobuf] {} bytes into {}", nbytes(element), destination.size());
  auto to = destination.begin();
  for (const std::span<const std::byte> run : runs_) {
    if (varints_ == 0) {
      to = std::copy(run.begin(), run.end(), to);
      continue;
    }
    const char* at = reinterpret_cast<const char*>(run.data());
    const char* const end = at + run.size();
    while (at != end) {
      const std::uint64_t value = protozero::decode_varint(&at, end);
      std::memcpy(&*to, &value, element);  // little-endian: the low bytes come first
      to += static_cast<std::ptrdiff_t>(element);
    }
  }
}

}  // namespace graft
