#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "datasets/image.h"
#include "datasets/image_decode.h"

namespace graft {

// The parts of decode_image that stb_image does, behind checks of its own: of the header, which stb_image believes, and
// of the checksums, which it skips.

bool is_png(std::span<const std::byte> bytes);
void decode_png(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into);

bool is_bmp(std::span<const std::byte> bytes);
void decode_bmp(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into);

/// Binary PGM and PPM of 8 bits.
bool is_pnm(std::span<const std::byte> bytes);
void decode_pnm(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into);

}  // namespace graft
