#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>

#include "engine/tensor/tensor.h"

namespace graft {

class Backend;

/// A tensor and what the contract calls it.
struct NamedTensor {
  const char* name;
  const Tensor& tensor;
};

/// The vocabulary of contract checks, bound to one operation and one backend. Each throws Error("[operation] ...")
/// with both values; nothing is formatted while all is well, for every kernel call passes through here.
class ContractCheck {
 public:
  ContractCheck(const char* operation, const Backend& backend) : operation_(operation), backend_(backend) {}

  /// The tensor is defined and belongs to the backend.
  void given(NamedTensor t) const;
  /// `given`, of this shape and dtype.
  void is(NamedTensor t, const Shape& shape, DType dtype) const;
  /// `is`, unless the tensor is undefined.
  void is_if_given(NamedTensor t, const Shape& shape, DType dtype) const;
  /// `given`, of a floating dtype that the backend computes with.
  void floating(NamedTensor t) const;
  /// `given`, of this rank.
  void rank(NamedTensor t, int rank) const;
  /// Both tensors are given or neither is.
  void both_or_neither(NamedTensor a, NamedTensor b) const;
  /// Undefined, or u8 [n] of this backend.
  void scratch(const Tensor& scratch) const;
  /// No byte of `output` is a byte of an input; undefined tensors overlap nothing.
  void disjoint(NamedTensor output, std::initializer_list<NamedTensor> inputs) const;
  /// `output` begins where the input does, with the same dtype, or is disjoint from it.
  void same_or_disjoint(NamedTensor output, std::initializer_list<NamedTensor> inputs) const;
  /// Throws "[operation] message" unless `condition`; `message` holds no values.
  void that(bool condition, const char* message) const;
  /// Throws "[operation] name must be wanted, it is value" unless `condition`.
  void value(bool condition, const char* name, double value, const char* wanted) const;

  const char* operation() const { return operation_; }

 private:
  const char* operation_;
  const Backend& backend_;
};

/// The dtype of statistics, biases and gradients of parameters beside activations of `dtype`: f32, but f64 with f64.
inline DType wide_dtype(DType dtype) { return dtype == DType::f64 ? DType::f64 : DType::f32; }

/// The last extent of a shape of rank 1 or more: channels.
inline std::int64_t channels_of(const Tensor& x) { return x.dim(-1); }

}  // namespace graft
