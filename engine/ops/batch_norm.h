#pragma once

#include "engine/autograd/variable.h"
#include "engine/backend/norm.h"

namespace graft {

/// Where the mean and variance come from: the batch, updating the running ones; the batch alone; the running ones.
enum class BatchNormStatistics { batch_and_update, batch, running };

/// Batch normalisation over the last dimension with an optional residual (may be undefined) and, with options.relu, a
/// ReLU: y = act(scale (x - mean) / sqrt(var + eps) + shift [+ residual]). x and residual [..., C] f32, bf16 or f64;
/// scale, shift, running_mean and running_var [C] in f32 (f64 with f64). The running statistics change in place under
/// batch_and_update alone. Throws Error on shapes that do not fit.
Variable batch_norm(const Variable& x, const Variable& residual, const Variable& scale, const Variable& shift,
                    const Tensor& running_mean, const Tensor& running_var, BatchNormStatistics statistics,
                    const BatchNormOptions& options);

}  // namespace graft
