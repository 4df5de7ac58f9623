#include <cmath>
#include <cstring>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/map.h"
#include "engine/cpu/simd.h"

namespace graft {

namespace {

template <class T>
void fill_with(T value, const Tensor& y) {
  T* to = y.data<T>();
  parallel_for(y.numel(), kElementGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = value;
  });
}

}  // namespace

void CpuBackend::fill(double value, const Tensor& y) {
  check_fill(*this, y);
  enter();
  switch (y.dtype()) {
    case DType::f32:
      return fill_with(static_cast<float>(value), y);
    case DType::bf16:
      return fill_with(bfloat16(static_cast<float>(value)), y);
    case DType::f64:
      return fill_with(value, y);
    case DType::i64:
      return fill_with(static_cast<std::int64_t>(value), y);
    case DType::i32:
      return fill_with(static_cast<std::int32_t>(value), y);
    case DType::u8:
      return fill_with(static_cast<std::uint8_t>(value), y);
    case DType::f16:
      break;
  }
  fail(ErrorKind::failure, "[fill] {} cannot be filled: f16 occurs in files only", y.str());
}

void CpuBackend::add(const Tensor& a, const Tensor& b, const Tensor& y) {
  check_add(*this, a, b, y);
  enter();
  with_float_type(a.dtype(), [&](auto type) {
    map<decltype(type)>(a, b, y, [](simd::f32x8 left, simd::f32x8 right) { return left + right; });
  });
}

void CpuBackend::accumulate(const Tensor& x, const Tensor& y) {
  check_accumulate(*this, x, y);
  enter();
  with_float_type(x.dtype(), [&](auto type) {
    map<decltype(type)>(x, y, y, [](simd::f32x8 left, simd::f32x8 right) { return left + right; });
  });
}

void CpuBackend::scale(const Tensor& x, const Tensor& factor, const Tensor& y) {
  check_scale(*this, x, factor, y);
  enter();
  const float value = *factor.data<float>();
  with_float_type(x.dtype(), [&](auto type) {
    map<decltype(type)>(x, y, [value](simd::f32x8 element) { return element * value; });
  });
}

void CpuBackend::relu_forward(const Tensor& x, const Tensor& y) {
  check_relu_forward(*this, x, y);
  enter();
  with_float_type(x.dtype(), [&](auto type) {
    map<decltype(type)>(x, y, [](simd::f32x8 element) { return simd::relu(element); });
  });
}

void CpuBackend::relu_backward(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  check_relu_backward(*this, dy, y, dx);
  enter();
  with_float_type(dy.dtype(), [&](auto type) {
    map<decltype(type)>(
        dy, y, dx, [](simd::f32x8 gradient, simd::f32x8 output) { return output > 0.0f ? gradient : simd::f32x8{}; });
  });
}

}  // namespace graft
