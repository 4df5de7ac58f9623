#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "datasets/image.h"

namespace graft {

/// What a file may ask for. The default is twice Pillow's MAX_IMAGE_PIXELS: what Pillow refuses as a decompression
/// bomb.
struct ImageLimits {
  std::int64_t max_pixels = 178'956'970;
};

/// Decodes a JPEG, PNG, BMP or binary PGM/PPM file into RGB, u8 [H, W, 3], as Pillow's open(...).convert("RGB") does:
/// gray becomes three equal channels, alpha is dropped, CMYK is taken as Adobe writes it (inverted), 16-bit colour
/// keeps its high byte and 16-bit gray is cut at 255. EXIF's orientation is not applied, as in torchvision's
/// ImageFolder. Width, height and area are checked against `limits`, and against what so few bytes can hold, before
/// memory is taken. `name` is what the file is called in messages. Throws Error(data), one line that names the file and
/// what is wrong with it.
void decode_image(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into);

/// The same for a file; its bytes go through `scratch`.
void read_image(const std::filesystem::path& path, const ImageLimits& limits, PixelBuffer& scratch, Image& into);

}  // namespace graft
