#pragma once

#include "engine/autograd/variable.h"
#include "engine/base/error.h"

namespace graft {

/// The dtype of parameters, their gradients and statistics where a layer computes in `compute`: f64 with f64, else f32.
inline DType parameter_dtype(DType compute) { return compute == DType::f64 ? DType::f64 : DType::f32; }

/// Throws Error unless the parameter called `role` of operation `name` has the dtype that goes with `compute`.
inline void check_parameter(const char* name, const char* role, const Variable& parameter, DType compute) {
  check(parameter.dtype() == parameter_dtype(compute), "[{}] {} is {}, with x in {} it must be {}", name, role,
        name_of(parameter.dtype()), name_of(compute), name_of(parameter_dtype(compute)));
}

}  // namespace graft
