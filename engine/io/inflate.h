#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace graft {

/// Deflate (RFC 1951) makes at most 1032 bytes of one (zlib's technical notes): a larger claim is a lie.
constexpr std::uint64_t kMaxInflation = 1032;

/// Raw deflate data read front to back, never more than is asked for. Faults of the data are FormatFaults.
class Inflater {
 public:
  explicit Inflater(std::span<const std::byte> deflated);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Fills `out`; data that end before are a fault.
  void read(std::span<std::byte> out);
  /// Checks that nothing follows.
  void expect_end();

 private:
  struct Stream;
  std::size_t read_some(std::span<std::byte> out);

  Stream* stream_;
};

}  // namespace graft
