#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "datasets/image.h"
#include "datasets/image_decode.h"

namespace graft {

/// The JPEG part of decode_image, by libjpeg-turbo with its defaults, which are Pillow's: the accurate integer DCT and
/// smooth upsampling of chroma. A file that ends early is refused; damage that libjpeg only warns of passes, as in
/// Pillow.
void decode_jpeg(std::span<const std::byte> bytes, const std::string& name, const ImageLimits& limits, Image& into);

}  // namespace graft
