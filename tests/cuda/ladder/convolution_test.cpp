#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cuda/ladder/convolution/ladder.h"
#include "engine/backend/conv.h"
#include "engine/reference/reference_backend.h"
#include "tests/cuda/kernels/exact_values.h"
#include "tests/cuda/streams.h"

namespace graft::cuda::testing {

namespace {

struct Layer {
  std::string name;
  Shape x;
  Shape w;
  Window2d window{};
};

std::vector<Layer> layers() {
  return {
      {"one element", {1, 1, 1, 4}, {1, 1, 1, 4}},
      {"1x1", {2, 5, 7, 12}, {20, 1, 1, 12}},
      {"3x3", {2, 9, 8, 16}, {24, 3, 3, 16}, {.padding = Padding2d::same(1)}},
      {"3x3, more than a tile", {1, 11, 12, 20}, {70, 3, 3, 20}, {.padding = Padding2d::same(1)}},
      {"7x7, stride 2", {1, 15, 14, 4}, {18, 7, 7, 4}, {.stride = {2, 2}, .padding = Padding2d::same(3)}},
      {"dilated, asymmetric",
       {2, 10, 9, 8},
       {6, 3, 2, 8},
       {.stride = {1, 2}, .dilation = {2, 3}, .padding = {0, 3, 2, 1}}},
      {"no images", {0, 5, 5, 4}, {4, 3, 3, 4}},
  };
}

ConvProblem problem_of(const Layer& layer, const Shape& y) {
  return {.batch = layer.x[0],
          .height = layer.x[1],
          .width = layer.x[2],
          .channels = layer.x[3],
          .out_height = y[1],
          .out_width = y[2],
          .out_channels = y[3],
          .kernel_height = layer.w[1],
          .kernel_width = layer.w[2],
          .stride = layer.window.stride,
          .dilation = layer.window.dilation,
          .padding = layer.window.padding};
}

Tensor tensor_of(Backend& backend, const Shape& shape, const std::vector<double>& values) {
  const std::size_t bytes = values.size() * sizeof(double);
  Tensor tensor(backend, backend.allocate(bytes), 0, shape, DType::f64);
  backend.copy_from_host(values.data(), tensor);
  return tensor;
}

/// y by the reference, in f64.
std::vector<double> expected_of(const Layer& layer, const Shape& y, const std::vector<double>& x,
                                const std::vector<double>& w) {
  const std::unique_ptr<Backend> reference = make_reference_backend({});
  std::vector<double> values(static_cast<std::size_t>(y.numel()));
  const Tensor result = tensor_of(*reference, y, values);
  reference->conv2d_forward(tensor_of(*reference, layer.x, x), tensor_of(*reference, layer.w, w), {}, {},
                            {.window = layer.window}, {}, result);
  reference->copy_to_host(result, values.data());
  return values;
}

}  // namespace

TEST(ConvLadder, EveryStepIsExactInEveryThreadOrder) {
  for (const Layer& layer : layers()) {
    const Shape y = conv2d_output_shape(layer.x, layer.w, {.window = layer.window});
    const std::vector<double> x = exact_values(layer.x.numel(), 1);
    const std::vector<double> w = exact_values(layer.w.numel(), 2);
    const std::vector<double> expected = expected_of(layer, y, x, w);
    for_each_stream([&](const Stream& stream) {
      ExactArray<float> device_x(stream, x);
      ExactArray<float> device_w(stream, w);
      for (const NamedConvStep& step : kConvLadder) {
        ExactArray<float> device_y(stream, y.numel());
        step.run(stream, problem_of(layer, y), device_x.data(), device_w.data(), device_y.data());
        expect_exact<float>(layer.name + ", step " + step.name, device_y.values(stream), expected);
      }
    });
  }
}

}  // namespace graft::cuda::testing
