#pragma once

#include <cstdint>

namespace graft {

/// Functions of one element:
///   relu6    min(max(0, x), 6), NaN kept (Howard et al. 2017);
///   silu     x sigmoid(x) (Elfwing et al. 2018, Ramachandran et al. 2017: swish);
///   sigmoid  1 / (1 + exp(-x)), which overflows nowhere.
enum class Activation : std::uint8_t { relu6, silu, sigmoid };

}  // namespace graft
