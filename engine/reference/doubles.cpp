#include "engine/reference/doubles.h"

#include <algorithm>
#include <type_traits>

#include "engine/base/error.h"

namespace graft {

namespace {

double widen(double value) { return value; }
double widen(float value) { return static_cast<double>(value); }
double widen(bfloat16 value) { return static_cast<double>(static_cast<float>(value)); }
double widen(std::int64_t value) { return static_cast<double>(value); }
double widen(std::int32_t value) { return value; }
double widen(std::uint8_t value) { return value; }

template <class T>
T narrow(double value) {
  if constexpr (std::is_same_v<T, bfloat16>) {
    return bfloat16(static_cast<float>(value));
  } else {
    return static_cast<T>(value);
  }
}

/// Calls body.operator()<T>() with the C++ type of a dtype.
template <class Body>
void visit(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body.template operator()<float>();
    case DType::bf16:
      return body.template operator()<bfloat16>();
    case DType::f64:
      return body.template operator()<double>();
    case DType::i64:
      return body.template operator()<std::int64_t>();
    case DType::i32:
      return body.template operator()<std::int32_t>();
    case DType::u8:
      return body.template operator()<std::uint8_t>();
    case DType::f16:
      break;
  }
  fail(ErrorKind::failure, "[reference] f16 occurs in files only: cast to f32");
}

}  // namespace

std::vector<double> load(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  std::vector<double> values(static_cast<std::size_t>(tensor.numel()));
  visit(tensor.dtype(), [&]<class T>() {
    const T* source = tensor.data<T>();
    std::transform(source, source + tensor.numel(), values.begin(), [](T value) { return widen(value); });
  });
  return values;
}

void store(const std::vector<double>& values, const Tensor& tensor) {
  if (!tensor.defined()) return;
  check(static_cast<std::int64_t>(values.size()) == tensor.numel(), "[reference] {} values for {} elements",
        values.size(), tensor.numel());
  visit(tensor.dtype(), [&]<class T>() { std::transform(values.begin(), values.end(), tensor.data<T>(), narrow<T>); });
}

}  // namespace graft
