#pragma once

#include <memory>

#include "engine/cpu/conv_problem.h"
#include "engine/cpu/onednn_context.h"

namespace graft {

/// How oneDNN is asked for a convolution.
enum class OnednnConvLayout {
  plain,            ///< direct, images in NHWC as they are; weights as the primitive likes them
  blocked,          ///< direct, every layout the primitive's own, reordered from and to NHWC in scratch
  winograd_blocked  ///< Winograd F(4x4, 3x3) in the primitive's layouts; AVX-512 only
};

/// A plan for `problem`, which must have no extent of 0. nullptr if oneDNN has no implementation of it, or only one of
/// its reference loops.
std::unique_ptr<Plan> make_onednn_conv_plan(const OnednnContext& context, const ConvProblem& problem,
                                            OnednnConvLayout layout);

/// True iff a oneDNN implementation name means plain loops that nobody should train with.
bool is_reference_implementation(const std::string& name);

}  // namespace graft
