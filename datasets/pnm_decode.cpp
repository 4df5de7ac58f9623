#include <algorithm>
#include <cstring>

#include "datasets/image_fault.h"
#include "datasets/stb_decode.h"

// stb_image neither checks that all pixels are there nor scales by the header's largest value, so this little format is
// read here.
namespace graft {
namespace {

bool is_space(std::byte byte) {
  const auto c = static_cast<char>(byte);
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// The header's numbers, between which white space and comments stand.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  std::int64_t number() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == std::byte{'#'})) {
      if (bytes_[at_] == std::byte{'#'}) {
        while (at_ < bytes_.size() && bytes_[at_] != std::byte{'\n'}) ++at_;
      } else {
        ++at_;
      }
    }
    std::int64_t value = 0;
    const std::size_t begin = at_;
    while (at_ < bytes_.size() && bytes_[at_] >= std::byte{'0'} && bytes_[at_] <= std::byte{'9'}) {
      value = value * 10 + static_cast<std::int64_t>(bytes_[at_++]) - '0';
      if (at_ - begin > 9) fail_image(name_, "PNM", "a number of its header has more than 9 digits");
    }
    if (begin == at_) fail_image(name_, "PNM", "its header ends early");
    return value;
  }
  /// Past the one white space that ends the header.
  std::span<const std::byte> rest() const { return bytes_.subspan(std::min(at_ + 1, bytes_.size())); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t at_ = 2;
};

}  // namespace

void decode_pnm(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into) {
  HeaderReader header(bytes, name);
  const std::int64_t width = header.number();
  const std::int64_t height = header.number();
  const std::int64_t most = header.number();
  check_image_size(name, "PNM", width, height, limits);
  if (most != 255) fail_image(name, "PNM", "its largest value is {}, 255 is read", most);
  const bool gray = bytes[1] == std::byte{'5'};
  const auto count = static_cast<std::size_t>(width * height);
  const std::span<const std::byte> pixels = header.rest();
  if (pixels.size() < count * (gray ? 1 : 3)) {
    fail_image(name, "PNM", "it is truncated: {} bytes for {}x{} pixels", pixels.size(), width, height);
  }
  into.reshape(height, width, 3);
  if (!gray) {
    std::memcpy(into.data(), pixels.data(), into.bytes());
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::fill_n(into.data() + 3 * i, 3, static_cast<std::uint8_t>(pixels[i]));
  }
}

}  // namespace graft
