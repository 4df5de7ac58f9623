#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "engine/io/format_fault.h"

namespace graft {

using ProtobufWire = protozero::pbf_wire_type;

/// A message over bytes, which must outlive it.
inline protozero::pbf_reader protobuf_message(std::span<const std::byte> bytes) {
  return protozero::pbf_reader(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

inline std::span<const std::byte> bytes_of(protozero::data_view view) {
  return std::as_bytes(std::span(view.data(), view.size()));
}

inline std::string_view text_of(protozero::data_view view) { return {view.data(), view.size()}; }

/// A field's number and wire type as one number for a switch: fields of another wire type than the schema's are skipped
/// like unknown ones.
constexpr std::uint32_t field(std::uint32_t number, ProtobufWire wire) { return protozero::tag_and_type(number, wire); }

/// Runs `body`; protozero's complaints become FormatFaults.
template <class Body>
auto reading_protobuf(const Body& body) {
  try {
    return body();
  } catch (const protozero::exception& error) {
    damaged("its protobuf data are damaged or cut off ({})", error.what());
  }
}

/// Adds the values of a repeated 64-bit field, packed or not; at most `most` of them.
void append_varints(protozero::pbf_reader& message, std::vector<std::int64_t>& values, std::size_t most,
                    std::string_view what);

/// Elements of a protobuf message: runs of bytes in the file as they stand, or varints.
class ProtobufElements {
 public:
  /// The current field's fixed-width elements, packed, as bytes, or a single one.
  void add_fixed(protozero::pbf_reader& message);
  /// The current field's varints, packed or a single one.
  void add_varints(protozero::pbf_reader& message);

  /// Bytes that copy() makes with `element` bytes for a varint.
  std::uint64_t nbytes(std::size_t element) const { return fixed_bytes_ + varints_ * element; }
  /// The elements where they lie, if they do so in one run.
  std::optional<std::span<const std::byte>> mapped() const;
  void copy(std::size_t element, std::span<std::byte> destination) const;

 private:
  std::vector<std::span<const std::byte>> runs_;
  std::uint64_t fixed_bytes_ = 0;
  std::uint64_t varints_ = 0;
};

}  // namespace graft
