#pragma once

#include <cstdint>

#include "engine/autograd/variable.h"

namespace graft {

/// The parameter-free shortcut of He et al. 2016 (option A): every `stride`-th row and column of x [N, H, W, C], its
/// channels after (channels - C) / 2 zeros; y [N, ceil(H / stride), ceil(W / stride), channels].
Variable subsample_pad(const Variable& x, std::int64_t stride, std::int64_t channels);

}  // namespace graft
