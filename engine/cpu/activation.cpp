#include "engine/backend/activation.h"

#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/map.h"
#include "engine/cpu/simd_math.h"

namespace graft {

namespace {

using simd::f32x8;

struct Relu6 {
  static f32x8 value(f32x8 x) {
    const f32x8 positive = simd::relu(x);
    return positive > 6.0f ? simd::broadcast(6.0f) : positive;
  }
  static f32x8 gradient(f32x8 x, f32x8 dy) {
    const f32x8 below = x < 6.0f ? dy : f32x8{};
    return x > 0.0f ? below : f32x8{};
  }
};

struct Silu {
  static f32x8 value(f32x8 x) { return x * simd::logistic(x).value; }
  static f32x8 gradient(f32x8 x, f32x8 dy) {
    const auto [value, complement] = simd::logistic(x);
    return dy * (value * simd::multiply_add(x, complement, simd::broadcast(1.0f)));
  }
};

struct Sigmoid {
  static f32x8 value(f32x8 x) { return simd::logistic(x).value; }
  static f32x8 gradient(f32x8 x, f32x8 dy) {
    const auto [value, complement] = simd::logistic(x);
    return dy * (value * complement);
  }
};

/// body(T{}, F{}) for the element type and the function.
template <class Body>
void with_types(DType dtype, Activation activation, const Body& body) {
  with_float_type(dtype, [&](auto type) {
    switch (activation) {
      case Activation::relu6:
        return body(type, Relu6{});
      case Activation::silu:
        return body(type, Silu{});
      case Activation::sigmoid:
        return body(type, Sigmoid{});
    }
  });
}

}  // namespace

void CpuBackend::activation_forward(Activation activation, const Tensor& x, const Tensor& y) {
  check_activation_forward(*this, x, y);
  enter();
  with_types(x.dtype(), activation, [&](auto type, auto function) {
    map<decltype(type)>(x, y, [](f32x8 element) { return decltype(function)::value(element); });
  });
}

void CpuBackend::activation_backward(Activation activation, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  check_activation_backward(*this, x, dy, dx);
  enter();
  with_types(x.dtype(), activation, [&](auto type, auto function) {
    map<decltype(type)>(x, dy, dx,
                        [](f32x8 element, f32x8 gradient) { return decltype(function)::gradient(element, gradient); });
  });
}

}  // namespace graft
