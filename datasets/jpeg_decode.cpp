#include "datasets/jpeg_decode.h"

// libjpeg's header needs these two first.
#include <csetjmp>
#include <cstdio>
// clang-format off
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include <algorithm>
#include <array>
#include <cctype>

#include "datasets/image_fault.h"

namespace graft {
namespace {

constexpr const char* kFormat = "JPEG";
// Scans are decoded one after the other, so a small file of many costs much time. A full progression has ten or so.
constexpr int kMaxScans = 500;
// Huffman-coded data have at least one bit a block, and the sampling factors, 4 at most, spread a block over at most
// 4x4 blocks of pixels: no file holds more pixels a byte.
constexpr std::int64_t kMaxPixelsPerByte = std::int64_t{8} * 64 * 16;

/// libjpeg's state. Its errors come back to `escape` by longjmp, which must cross no frame with destructors: each step
/// is a function of its own without any.
struct Decompressor {
  explicit Decompressor(std::span<const std::byte> input) : bytes(input) {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) {
      auto* self = static_cast<Decompressor*>(common->client_data);
      common->err->format_message(common, self->message.data());
      std::longjmp(self->escape, 1);
    };
    errors.output_message = [](j_common_ptr) {};
  }
  ~Decompressor() {
    if (created) jpeg_destroy_decompress(&info);
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape{};
  std::array<char, JMSG_LENGTH_MAX> message{};
  std::span<const std::byte> bytes;
  std::uint8_t* pixels = nullptr;
  std::size_t row_bytes = 0;
  bool created = false;
};

/// True iff `step` came to its end.
bool runs(Decompressor& decompressor, void (*step)(Decompressor&)) {
  if (setjmp(decompressor.escape) != 0) return false;
  step(decompressor);
  return true;
}

[[noreturn]] void fail_decode(const Decompressor& decompressor, const std::string& name) {
  if (decompressor.info.err->msg_code == JERR_INPUT_EOF) {
    fail_image(name, kFormat, "it is truncated after {} bytes", decompressor.bytes.size());
  }
  fail_image(name, kFormat, "{}", decompressor.message.data());
}

void read_header(Decompressor& decompressor) {
  jpeg_decompress_struct* info = &decompressor.info;
  jpeg_create_decompress(info);
  decompressor.created = true;
  decompressor.progress.progress_monitor = [](j_common_ptr common) {
    if (common->is_decompressor && reinterpret_cast<j_decompress_ptr>(common)->input_scan_number > kMaxScans) {
      ERREXIT(common, JERR_BAD_PROGRESSION);
    }
  };
  info->progress = &decompressor.progress;
  const auto* data = reinterpret_cast<const unsigned char*>(decompressor.bytes.data());
  jpeg_mem_src(info, data, static_cast<unsigned long>(decompressor.bytes.size()));
  // libjpeg's own would end the image here and leave the rest gray.
  info->src->fill_input_buffer = [](j_decompress_ptr self) -> boolean {
    ERREXIT(self, JERR_INPUT_EOF);
    return FALSE;
  };
  jpeg_read_header(info, TRUE);
}

void decode_rows(Decompressor& decompressor) {
  jpeg_decompress_struct* info = &decompressor.info;
  jpeg_start_decompress(info);
  while (info->output_scanline < info->output_height) {
    JSAMPROW row = decompressor.pixels + decompressor.row_bytes * info->output_scanline;
    jpeg_read_scanlines(info, &row, 1);
  }
  jpeg_finish_decompress(info);
}

/// Gray to three equal channels, in place: the gray pixels are the last third of the memory.
void spread_gray(std::uint8_t* pixels, std::size_t count) {
  const std::uint8_t* gray = pixels + 2 * count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t value = gray[i];
    std::fill_n(pixels + 3 * i, 3, value);
  }
}

/// a * b / 255, rounded.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Adobe's inverted CMYK to RGB, as Pillow converts it without colour profiles.
void convert_cmyk(const std::uint8_t* cmyk, std::size_t count, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < count; ++i) {
    const int light = cmyk[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int ink = scaled(255 - cmyk[4 * i + c], light);
      rgb[3 * i + c] = static_cast<std::uint8_t>(std::clamp(light - ink, 0, 255));
    }
  }
}

}  // namespace

void decode_jpeg(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into) {
  Decompressor decompressor(bytes);
  if (!runs(decompressor, read_header)) fail_decode(decompressor, name);
  jpeg_decompress_struct& info = decompressor.info;
  const std::int64_t width = info.image_width;
  const std::int64_t height = info.image_height;
  check_image_size(name, kFormat, width, height, limits);
  if (info.arith_code == FALSE && width * height > kMaxPixelsPerByte * static_cast<std::int64_t>(bytes.size())) {
    fail_image(name, kFormat, "its header declares {}x{} pixels, more than its {} bytes can hold", width, height,
               bytes.size());
  }
  const auto count = static_cast<std::size_t>(width * height);
  into.reshape(height, width, 3);
  PixelBuffer cmyk;
  switch (info.num_components) {
    case 1:
      info.out_color_space = JCS_GRAYSCALE;
      decompressor.row_bytes = static_cast<std::size_t>(width);
      decompressor.pixels = into.data() + 2 * count;
      break;
    case 3:
      info.out_color_space = JCS_RGB;
      decompressor.row_bytes = static_cast<std::size_t>(width) * 3;
      decompressor.pixels = into.data();
      break;
    case 4:
      info.out_color_space = JCS_CMYK;
      decompressor.row_bytes = static_cast<std::size_t>(width) * 4;
      decompressor.pixels = cmyk.grow(count * 4);
      break;
    default:
      fail_image(name, kFormat, "it has {} components; 1, 3 and 4 are read", info.num_components);
  }
  if (!runs(decompressor, decode_rows)) fail_decode(decompressor, name);
  if (info.num_components == 1) spread_gray(into.data(), count);
  if (info.num_components == 4) convert_cmyk(cmyk.data(), count, into.data());
}

}  // namespace graft
