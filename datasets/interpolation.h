#pragma once

#include <string>

namespace graft {

/// Pillow's filters, by its names.
enum class Interpolation { nearest, box, bilinear, hamming, bicubic, lanczos };

const char* name_of(Interpolation interpolation);
/// Throws Error(usage) for a name that is not one of them.
Interpolation interpolation_of(const std::string& name);

}  // namespace graft
