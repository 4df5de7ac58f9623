#include "datasets/interpolation.h"

#include <array>
#include <cstddef>

#include "engine/base/error.h"

namespace graft {
namespace {

constexpr std::array<const char*, 6> kNames = {"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"};

}  // namespace

const char* name_of(Interpolation interpolation) { return kNames.at(static_cast<std::size_t>(interpolation)); }

Interpolation interpolation_of(const std::string& name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Interpolation>(i);
  }
  fail(ErrorKind::usage, "interpolation '{}' is not known; give nearest, box, bilinear, hamming, bicubic or lanczos",
       name);
}

}  // namespace graft
