#include "datasets/image_decode.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "datasets/jpeg_decode.h"
#include "datasets/stb_decode.h"
#include "engine/base/error.h"
#include "engine/io/descriptor.h"

namespace graft {
namespace {

bool is_jpeg(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xd8} && bytes[2] == std::byte{0xff};
}

}  // namespace

void decode_image(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into) {
  if (is_jpeg(bytes)) return decode_jpeg(bytes, name, limits, into);
  if (is_png(bytes)) return decode_png(bytes, name, limits, into);
  if (is_bmp(bytes)) return decode_bmp(bytes, name, limits, into);
  if (is_pnm(bytes)) return decode_pnm(bytes, name, limits, into);
  fail(ErrorKind::data, "{}: {}; JPEG, PNG, BMP and binary PGM and PPM are read: convert it to one of these", name,
       bytes.empty() ? "the file is empty" : "no image format that is read starts so");
}

void read_image(const std::filesystem::path& path, const ImageLimits& limits, PixelBuffer& scratch, Image& into) {
  const Descriptor descriptor = open_for_reading(path);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) fail_system(ErrorKind::data, path, "read", errno);
  const auto size = static_cast<std::size_t>(status.st_size);
  std::uint8_t* bytes = scratch.grow(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(descriptor.get(), bytes + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_system(ErrorKind::data, path, "read", errno);
    if (count == 0) break;  // it was cut while it was read: the decoder will say so
    done += static_cast<std::size_t>(count);
  }
  decode_image({reinterpret_cast<const std::byte*>(bytes), done}, path.string(), limits, into);
}

}  // namespace graft
