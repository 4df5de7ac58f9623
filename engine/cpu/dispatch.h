#pragma once

#include <cstdint>
#include <utility>

#include "engine/base/dtype.h"
#include "engine/base/error.h"

namespace graft {

/// body(float{}) or body(bfloat16{}): the C++ type of a dtype that this backend computes with.
template <class Body>
void with_float_type(DType dtype, const Body& body) {
  if (dtype == DType::f32) {
    body(float{});
  } else if (dtype == DType::bf16) {
    body(bfloat16{});
  } else {
    fail(ErrorKind::failure, "[cpu] {} is not computed with here: use f32 or bf16", name_of(dtype));
  }
}

/// Elements that one thread should at least have before a second is woken for elementwise work: some microseconds.
inline constexpr std::int64_t kElementGrain = 16384;

}  // namespace graft
