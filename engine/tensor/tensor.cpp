#include "engine/tensor/tensor.h"

#include <utility>

#include "engine/base/error.h"

namespace graft {

Tensor::Tensor(Backend& backend, StoragePtr storage, std::size_t offset, const Shape& shape, DType dtype)
    : backend_(&backend), storage_(std::move(storage)), offset_(offset), shape_(shape), dtype_(dtype) {
  // Here and below nothing is formatted while all is well: these run several times a kernel call.
  if (storage_ == nullptr) [[unlikely]]
    fail(ErrorKind::failure, "[tensor] no storage for {}", str());
  if (offset_ + nbytes() > storage_->bytes()) [[unlikely]] {
    fail(ErrorKind::failure, "[tensor] {} at byte {} does not fit a storage of {} bytes", str(), offset_,
         storage_->bytes());
  }
}

void* Tensor::raw() const { return storage_ ? static_cast<std::byte*>(storage_->data()) + offset_ : nullptr; }

Tensor Tensor::reshape(const Shape& shape) const {
  check(defined(), "[reshape] the tensor is undefined");
  if (shape.numel() != numel()) [[unlikely]] {
    fail(ErrorKind::failure, "[reshape] {} has {} elements, {} wants {}", shape_.str(), numel(), shape.str(),
         shape.numel());
  }
  Tensor result = *this;
  result.shape_ = shape;
  return result;
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  if (!defined() || rank() < 1) [[unlikely]] {
    fail(ErrorKind::failure, "[slice] {} has no leading dimension", str());
  }
  if (begin < 0 || begin > end || end > dim(0)) [[unlikely]] {
    fail(ErrorKind::failure, "[slice] rows {} to {} asked of {}", begin, end, shape_.str());
  }
  const std::size_t row_bytes = dim(0) == 0 ? 0 : nbytes() / static_cast<std::size_t>(dim(0));
  std::array<std::int64_t, Shape::kMaxRank> dims{};
  std::copy(shape_.dims().begin(), shape_.dims().end(), dims.begin());
  dims[0] = end - begin;
  Tensor result = *this;
  result.offset_ += row_bytes * static_cast<std::size_t>(begin);
  result.shape_ = Shape(std::span<const std::int64_t>(dims.data(), static_cast<std::size_t>(rank())));
  return result;
}

bool Tensor::same_as(const Tensor& other) const {
  return raw() == other.raw() && shape_ == other.shape_ && dtype_ == other.dtype_ && backend_ == other.backend_;
}

std::string Tensor::str() const {
  if (!defined()) return "undefined";
  return fmt::format("{} {}", name_of(dtype_), shape_.str());
}

void Tensor::expect_dtype(DType wanted) const {
  if (dtype_ != wanted) [[unlikely]] {
    fail(ErrorKind::failure, "[tensor] {} was asked for as {}", str(), name_of(wanted));
  }
}

}  // namespace graft
