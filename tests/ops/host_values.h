#pragma once

#include <cstdint>
#include <stdexcept>
#include <vector>

#include "engine/autograd/variable.h"
#include "engine/backend/backend.h"
#include "engine/base/philox.h"

namespace graft::testing {

/// A tensor's elements as doubles, whatever its dtype.
inline std::vector<double> to_host(const Tensor& tensor) {
  const auto read = [&tensor]<class T>(T) {
    std::vector<T> raw(static_cast<std::size_t>(tensor.numel()));
    tensor.backend().copy_to_host(tensor, raw.data());
    std::vector<double> result;
    result.reserve(raw.size());
    for (const T& value : raw) {
      if constexpr (std::is_same_v<T, bfloat16>) {
        result.push_back(static_cast<double>(static_cast<float>(value)));
      } else {
        result.push_back(static_cast<double>(value));
      }
    }
    return result;
  };
  switch (tensor.dtype()) {
    case DType::f32:
      return read(float{});
    case DType::bf16:
      return read(bfloat16{});
    case DType::f64:
      return read(double{});
    case DType::i64:
      return read(std::int64_t{});
    case DType::i32:
      return read(std::int32_t{});
    default:
      throw std::logic_error("to_host: dtype");
  }
}

/// A tensor with these elements, rounded to `dtype`.
inline Tensor from_host(Backend& backend, const Shape& shape, DType dtype, const std::vector<double>& values) {
  const Tensor result = backend.empty(shape, dtype);
  if (static_cast<std::int64_t>(values.size()) != shape.numel()) throw std::logic_error("from_host: size");
  const auto write = [&]<class T>(T) {
    std::vector<T> raw;
    raw.reserve(values.size());
    for (const double value : values) {
      if constexpr (std::is_same_v<T, bfloat16>) {
        raw.push_back(bfloat16(static_cast<float>(value)));
      } else {
        raw.push_back(static_cast<T>(value));
      }
    }
    backend.copy_from_host(raw.data(), result);
  };
  switch (dtype) {
    case DType::f32:
      write(float{});
      break;
    case DType::bf16:
      write(bfloat16{});
      break;
    case DType::f64:
      write(double{});
      break;
    case DType::i64:
      write(std::int64_t{});
      break;
    default:
      throw std::logic_error("from_host: dtype");
  }
  return result;
}

/// `count` numbers, uniform in [-1, 1), a function of `seed`.
inline std::vector<double> random_values(std::int64_t count, std::uint64_t seed) {
  const RandomStream random{.seed = seed, .stream = stream_of("test")};
  std::vector<double> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = 2.0 * uniform_float(random.word(0, i)) - 1.0;
  return result;
}

inline Tensor random_tensor(Backend& backend, const Shape& shape, DType dtype, std::uint64_t seed) {
  return from_host(backend, shape, dtype, random_values(shape.numel(), seed));
}

/// An f64 leaf of random numbers that wants a gradient.
inline Variable random_leaf(Backend& backend, const Shape& shape, std::uint64_t seed, bool requires_grad = true) {
  return Variable(random_tensor(backend, shape, DType::f64, seed), requires_grad);
}

}  // namespace graft::testing
