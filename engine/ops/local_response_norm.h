#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/local_response_norm.h"

namespace graft {

/// Local response normalisation across the channels of x [..., C] (Krizhevsky et al. 2012): y = x / (k + alpha / size *
/// the sum of x^2 over `size` neighbouring channels)^beta, as torch's LocalResponseNorm and Caffe's LRN layer.
Variable local_response_norm(const Variable& x, const LrnOptions& options);

}  // namespace graft
