#include "engine/backend/contract_check.h"

#include <cstdint>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

namespace {

bool overlap(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined() || a.nbytes() == 0 || b.nbytes() == 0) return false;
  const auto a_begin = reinterpret_cast<std::uintptr_t>(a.raw());
  const auto b_begin = reinterpret_cast<std::uintptr_t>(b.raw());
  return a_begin < b_begin + b.nbytes() && b_begin < a_begin + a.nbytes();
}

}  // namespace

void ContractCheck::given(NamedTensor t) const {
  if (!t.tensor.defined()) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} is undefined: it must be given", operation_, t.name);
  }
  if (&t.tensor.backend() != &backend_) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} lies on another backend ({}) than the one that computes ({}): copy it over",
         operation_, t.name, t.tensor.backend().kind(), backend_.kind());
  }
}

void ContractCheck::is(NamedTensor t, const Shape& shape, DType dtype) const {
  given(t);
  if (t.tensor.shape() != shape || t.tensor.dtype() != dtype) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} must be {} {}, it is {}", operation_, t.name, name_of(dtype), shape.str(),
         t.tensor.str());
  }
}

void ContractCheck::is_if_given(NamedTensor t, const Shape& shape, DType dtype) const {
  if (t.tensor.defined()) is(t, shape, dtype);
}

void ContractCheck::floating(NamedTensor t) const {
  given(t);
  const DType dtype = t.tensor.dtype();
  if (!is_floating(dtype) || dtype == DType::f16 || !backend_.supports(dtype)) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} is {}: {} does not compute in {}", operation_, t.name, t.tensor.str(),
         backend_.device_kind(), name_of(dtype));
  }
}

void ContractCheck::rank(NamedTensor t, int rank) const {
  given(t);
  if (t.tensor.rank() != rank) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} must have rank {}, it is {}", operation_, t.name, rank, t.tensor.str());
  }
}

void ContractCheck::both_or_neither(NamedTensor a, NamedTensor b) const {
  if (a.tensor.defined() != b.tensor.defined()) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} is {} and {} is {}: give both or neither", operation_, a.name, a.tensor.str(),
         b.name, b.tensor.str());
  }
}

void ContractCheck::scratch(const Tensor& scratch) const {
  if (!scratch.defined()) return;
  const NamedTensor named{"scratch", scratch};
  rank(named, 1);
  is(named, scratch.shape(), DType::u8);
}

void ContractCheck::disjoint(NamedTensor output, std::initializer_list<NamedTensor> inputs) const {
  for (const NamedTensor& input : inputs) {
    if (overlap(output.tensor, input.tensor)) [[unlikely]] {
      fail(ErrorKind::failure, "[{}] {} ({}) shares memory with {} ({}): give it memory of its own", operation_,
           output.name, output.tensor.str(), input.name, input.tensor.str());
    }
  }
}

void ContractCheck::same_or_disjoint(NamedTensor output, std::initializer_list<NamedTensor> inputs) const {
  for (const NamedTensor& input : inputs) {
    const bool same = output.tensor.defined() && output.tensor.raw() == input.tensor.raw() &&
                      output.tensor.dtype() == input.tensor.dtype() && output.tensor.numel() == input.tensor.numel();
    if (!same) disjoint(output, {input});
  }
}

void ContractCheck::that(bool condition, const char* message) const {
  if (!condition) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {}", operation_, message);
  }
}

void ContractCheck::value(bool condition, const char* name, double value, const char* wanted) const {
  if (!condition) [[unlikely]] {
    fail(ErrorKind::failure, "[{}] {} must be {}, it is {}", operation_, name, wanted, value);
  }
}

}  // namespace graft
