#pragma once

#include <cstdint>

#include "engine/base/parallel_for.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"
#include "engine/tensor/tensor.h"

// Kernels that read and write each element once: one contiguous range a thread, eight elements at a time.

namespace graft {

/// body(i, lanes) over all vectors of [0, count), on all threads.
template <class Body>
void parallel_vectors(std::int64_t count, const Body& body) {
  parallel_for(count, kElementGrain,
               [&](std::int64_t begin, std::int64_t end) { simd::for_vectors(begin, end, body); });
}

/// y[i] = f(x[i]).
template <class T, class F>
void map(const Tensor& x, const Tensor& y, const F& f) {
  const T* from = x.data<T>();
  T* to = y.data<T>();
  parallel_vectors(x.numel(),
                   [=](std::int64_t i, auto lanes) { simd::store(to + i, f(simd::load(from + i, lanes)), lanes); });
}

/// y[i] = f(a[i], b[i]).
template <class T, class F>
void map(const Tensor& a, const Tensor& b, const Tensor& y, const F& f) {
  const T* left = a.data<T>();
  const T* right = b.data<T>();
  T* to = y.data<T>();
  parallel_vectors(a.numel(), [=](std::int64_t i, auto lanes) {
    simd::store(to + i, f(simd::load(left + i, lanes), simd::load(right + i, lanes)), lanes);
  });
}

}  // namespace graft
