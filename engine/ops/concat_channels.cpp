#include "engine/ops/concat_channels.h"

#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

namespace {

Shape with_channels(const Shape& shape, std::int64_t channels) {
  std::vector<std::int64_t> dims(shape.dims().begin(), shape.dims().end());
  dims.back() = channels;
  return Shape(dims);
}

}  // namespace

Variable concat_channels(std::span<const Variable> inputs) {
  check(!inputs.empty(), "[concat_channels] there is nothing to join: give at least one input");
  const Variable& first = inputs.front();
  check(first.shape().rank() >= 1, "[concat_channels] a tensor of rank 0 has no channels");
  std::int64_t channels = 0;
  for (const Variable& x : inputs) {
    check(x.shape().rank() >= 1 && with_channels(x.shape(), 0) == with_channels(first.shape(), 0) &&
              x.dtype() == first.dtype(),
          "[concat_channels] {} and {} cannot be joined: only the last extent may differ", first.value().str(),
          x.value().str());
    channels += x.shape()[-1];
  }
  if (inputs.size() == 1) return first;

  Backend& backend = first.backend();
  const Tensor y = backend.empty(with_channels(first.shape(), channels), first.dtype());

  std::vector<Shape> shapes;
  std::int64_t place = 0;
  for (const Variable& x : inputs) {
    const std::int64_t count = x.shape()[-1];
    backend.copy_channels(x.value(), 0, count, y, place);
    shapes.push_back(x.shape());
    place += count;
  }

  return record("concat_channels", y, {inputs.begin(), inputs.end()},
                [shapes](const Tensor& dy, std::span<const bool> needs) {
                  std::vector<Tensor> gradients(shapes.size());
                  std::int64_t from = 0;
                  for (std::size_t i = 0; i < shapes.size(); ++i) {
                    const std::int64_t count = shapes[i][-1];
                    if (needs[i]) {
                      gradients[i] = dy.backend().empty(shapes[i], dy.dtype());
                      dy.backend().copy_channels(dy, from, count, gradients[i], 0);
                    }
                    from += count;
                  }
                  return gradients;
                });
}

}  // namespace graft
