#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

/// Between f32, bf16 and, as the source, u8.
template <class From, class To>
void cast_to_float(const Tensor& x, const Tensor& y) {
  const From* from = x.data<From>();
  To* to = y.data<To>();
  parallel_for(x.numel(), kElementGrain, [=](std::int64_t begin, std::int64_t end) {
    simd::for_vectors(begin, end,
                      [=](std::int64_t i, auto lanes) { simd::store(to + i, simd::load(from + i, lanes), lanes); });
  });
}

template <class From, class To>
void cast_integers(const Tensor& x, const Tensor& y) {
  const From* from = x.data<From>();
  To* to = y.data<To>();
  parallel_for(x.numel(), kElementGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = static_cast<To>(from[i]);
  });
}

template <class To>
void cast_to_float(const Tensor& x, const Tensor& y) {
  if (x.dtype() == DType::u8) {
    cast_to_float<std::uint8_t, To>(x, y);
  } else {
    with_float_type(x.dtype(), [&](auto from) { cast_to_float<decltype(from), To>(x, y); });
  }
}

}  // namespace

void CpuBackend::cast(const Tensor& x, const Tensor& y) {
  check_cast(*this, x, y);
  enter();
  if (x.dtype() == DType::i32 && y.dtype() == DType::i64) {
    cast_integers<std::int32_t, std::int64_t>(x, y);
  } else if (x.dtype() == DType::i64 && y.dtype() == DType::i32) {
    cast_integers<std::int64_t, std::int32_t>(x, y);
  } else if (x.dtype() == y.dtype()) {
    copy(x, y);
  } else {
    with_float_type(y.dtype(), [&](auto to) { cast_to_float<decltype(to)>(x, y); });
  }
}

}  // namespace graft
