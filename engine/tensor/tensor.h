#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/dtype.h"
#include "engine/base/shape.h"
#include "engine/tensor/storage.h"

namespace graft {

class Backend;

/// A dense, contiguous, row-major array on a backend: a cheap handle that shares its storage. A default-constructed
/// tensor is undefined and stands for "not given" or "not wanted".
class Tensor {
 public:
  Tensor() = default;
  /// `offset` is in bytes from the start of the storage. Throws Error if the array does not fit the storage.
  Tensor(Backend& backend, StoragePtr storage, std::size_t offset, const Shape& shape, DType dtype);

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  std::int64_t dim(int i) const { return shape_.dim(i); }
  std::int64_t numel() const { return shape_.numel(); }
  DType dtype() const { return dtype_; }
  std::size_t nbytes() const { return static_cast<std::size_t>(numel()) * size_of(dtype_); }
  /// The backend that owns the memory. The tensor must be defined.
  Backend& backend() const { return *backend_; }

  /// Address of the first element, in the backend's memory. nullptr if undefined.
  void* raw() const;
  /// The same as a typed pointer; throws Error if T is not the dtype. nullptr if undefined.
  template <class T>
  T* data() const {
    if (defined()) expect_dtype(dtype_of<T>());
    return static_cast<T*>(raw());
  }

  /// The same elements under another shape of equal size. Throws Error if the sizes differ.
  Tensor reshape(const Shape& shape) const;
  /// Rows [begin, end) of the leading dimension. Throws Error if out of range.
  Tensor slice(std::int64_t begin, std::int64_t end) const;
  /// True iff both handles show the same bytes as the same array.
  bool same_as(const Tensor& other) const;
  /// "f32 [64, 128]" or "undefined".
  std::string str() const;

 private:
  void expect_dtype(DType wanted) const;

  Backend* backend_ = nullptr;
  StoragePtr storage_;
  std::size_t offset_ = 0;
  Shape shape_;
  DType dtype_ = DType::f32;
};

}  // namespace graft
