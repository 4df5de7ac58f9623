#include "engine/backend/backend.h"

#include "engine/base/error.h"

namespace graft {

std::unique_ptr<CapturedWork> Backend::capture(const std::function<void()>& /*work*/) {
  fail(ErrorKind::failure, "[capture] {} does not record work: call the kernels", kind());
}

std::vector<KernelTime> Backend::time_kernels(const std::function<void()>& /*work*/) {
  fail(ErrorKind::usage, "[time_kernels] {} does not time its kernels: use cpu or cuda", kind());
}

Tensor Backend::empty(const Shape& shape, DType dtype) {
  const std::size_t bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
  return Tensor(*this, allocate(bytes), 0, shape, dtype);
}

Tensor Backend::zeros(const Shape& shape, DType dtype) {
  Tensor result = empty(shape, dtype);
  fill(0.0, result);
  return result;
}

Tensor Backend::scratch(std::size_t bytes) {
  return bytes == 0 ? Tensor() : empty({static_cast<std::int64_t>(bytes)}, DType::u8);
}

}  // namespace graft
