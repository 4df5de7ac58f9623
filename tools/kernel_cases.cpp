#include "tools/kernel_cases.h"

#include <fmt/core.h>

#include <algorithm>

#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace graft {
namespace {

/// A convolution with square images and kernel, and how often the network has it.
struct ConvLayer {
  std::int64_t count, size, in, out, kernel, stride;
};

std::vector<ConvLayer> resnet20_layers() {
  return {{1, 32, 3, 16, 3, 1},  {6, 32, 16, 16, 3, 1}, {1, 32, 16, 32, 3, 2},
          {5, 16, 32, 32, 3, 1}, {1, 16, 32, 64, 3, 2}, {5, 8, 64, 64, 3, 1}};
}

/// ResNet-50 v1.5: the stride is in the 3x3 convolution.
std::vector<ConvLayer> resnet50_layers() {
  std::vector<ConvLayer> layers{{1, 224, 3, 64, 7, 2}};
  const std::int64_t blocks[] = {3, 4, 6, 3};
  std::int64_t size = 56;
  std::int64_t in = 64;
  std::int64_t width = 64;
  for (int stage = 0; stage < 4; ++stage, width *= 2) {
    const std::int64_t stride = stage == 0 ? 1 : 2;
    layers.push_back({1, size, in, width, 1, 1});
    layers.push_back({1, size, width, width, 3, stride});
    layers.push_back({1, size, in, 4 * width, 1, stride});
    size /= stride;
    in = 4 * width;
    layers.push_back({blocks[stage], size, width, in, 1, 1});
    layers.push_back({blocks[stage] - 1, size, in, width, 1, 1});
    layers.push_back({blocks[stage] - 1, size, width, width, 3, 1});
  }
  return layers;
}

/// Tensors of uniform numbers in [-1, 1): no branch flatters a kernel, and no bits that do not change from one product
/// to the next, which a GPU rewards with a higher clock.
class Values {
 public:
  Values(Backend& backend, DType dtype) : backend_(backend), dtype_(dtype) {}

  /// So many are drawn; what is larger repeats them.
  Tensor of(const Shape& shape) const {
    constexpr std::int64_t kDrawn = std::int64_t{1} << 18;
    const std::int64_t count = shape.numel();
    const Tensor tensor = backend_.empty(shape, dtype_);
    const Tensor line = tensor.reshape({count});
    const std::int64_t drawn = std::min(count, kDrawn);
    draw(line.slice(0, drawn));
    for (std::int64_t done = drawn, piece = 0; done < count; done += piece) {
      piece = std::min(done, count - done);
      backend_.copy(line.slice(0, piece), line.slice(done, done + piece));
    }
    return tensor;
  }
  Tensor ones(std::int64_t count) const {
    const Tensor tensor = backend_.empty({count}, DType::f32);
    backend_.fill(1.0, tensor);
    return tensor;
  }

 private:
  void draw(const Tensor& line) const {
    const RandomStream random{.seed = draws_++, .stream = stream_of("bench kernels")};
    std::vector<float> numbers(static_cast<std::size_t>(line.numel()));
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = 2.0f * uniform_float(random.word(0, i)) - 1.0f;
    const Tensor wide = backend_.empty(line.shape(), DType::f32);
    backend_.copy_from_host(numbers.data(), wide);
    if (dtype_ == DType::f32) {
      backend_.copy(wide, line);
    } else {
      backend_.cast(wide, line);
    }
  }

  Backend& backend_;
  DType dtype_;
  mutable std::uint64_t draws_ = 0;
};

using Measure = std::function<void(const KernelCase&)>;

double bytes_of(const Tensor& tensor) { return static_cast<double>(tensor.nbytes()); }

void conv_cases(Backend& on, const KernelCaseOptions& options, const ConvLayer& given, const Measure& measure) {
  const std::int64_t shrink = options.shrink;
  const ConvLayer l{given.count,
                    std::max<std::int64_t>(given.size / shrink, given.kernel),
                    std::max<std::int64_t>(given.in / shrink, 1),
                    std::max<std::int64_t>(given.out / shrink, 1),
                    given.kernel,
                    given.stride};
  const Conv2dOptions conv{.window = {.stride = {l.stride, l.stride}, .padding = Padding2d::same(l.kernel / 2)}};
  const Values values(on, options.dtype);
  const Tensor x = values.of({options.batch, l.size, l.size, l.in});
  const Tensor w = values.of({l.out, l.kernel, l.kernel, l.in});
  const Tensor y = values.of(conv2d_output_shape(x.shape(), w.shape(), conv));
  const Tensor dx = on.empty(x.shape(), options.dtype);
  const Tensor dw = on.empty(w.shape(), DType::f32);
  const double flops = 2.0 * static_cast<double>(y.numel()) * static_cast<double>(l.kernel * l.kernel * l.in);
  const std::string shape =
      fmt::format("{}x{}x{}x{} {}x{}x{} /{}", options.batch, l.size, l.size, l.in, l.out, l.kernel, l.kernel, l.stride);
  const Tensor forward = on.scratch(on.conv2d_forward_scratch_bytes(x.shape(), w.shape(), options.dtype, conv));
  measure({.kernel = "conv2d_forward", .shape = shape, .flops = flops, .count = l.count, .call = [&] {
             on.conv2d_forward(x, w, {}, {}, conv, forward, y);
           }});
  const Tensor data = on.scratch(on.conv2d_backward_data_scratch_bytes(x.shape(), w.shape(), options.dtype, conv));
  if (given.in > 3) {  // the first layer's input is the images, which need no gradient
    measure({.kernel = "conv2d_backward_data", .shape = shape, .flops = flops, .count = l.count, .call = [&] {
               on.conv2d_backward_data(y, w, conv, data, dx);
             }});
  }
  const Tensor weights =
      on.scratch(on.conv2d_backward_weights_scratch_bytes(x.shape(), w.shape(), options.dtype, conv));
  measure({.kernel = "conv2d_backward_weights", .shape = shape, .flops = flops, .count = l.count, .call = [&] {
             on.conv2d_backward_weights(x, y, conv, weights, dw, {});
           }});
}

/// The kernels between convolutions, on activations of one shape.
void activation_cases(Backend& on, const KernelCaseOptions& options, const Shape& shape, const Measure& measure) {
  const Values values(on, options.dtype);
  const Tensor x = values.of(shape);
  const Tensor y = values.of(shape);
  const Tensor dy = values.of(shape);
  const Tensor residual = values.of(shape);
  const Tensor dx = on.empty(shape, options.dtype);
  const Tensor dresidual = on.empty(shape, options.dtype);
  const std::int64_t channels = shape[3];
  const Tensor scale = values.ones(channels);
  const Tensor shift = values.ones(channels);
  const Tensor mean = values.ones(channels);
  const Tensor inverse = values.ones(channels);
  const Tensor running_mean = values.ones(channels);
  const Tensor running_var = values.ones(channels);
  const Tensor dscale = values.ones(channels);
  const Tensor dshift = values.ones(channels);
  const Tensor scratch = on.scratch(on.batch_norm_scratch_bytes(shape, options.dtype));
  const Tensor pooled = on.empty({shape[0], channels}, options.dtype);
  const BatchNormOptions relu{.relu = true};
  const double n = bytes_of(x);
  const auto row = [&](const char* kernel, double bytes, std::function<void()> call) {
    measure({.kernel = kernel, .shape = shape.str(), .bytes = bytes, .call = std::move(call)});
  };
  row("add", 3 * n, [&] { on.add(x, residual, y); });
  row("relu_forward", 2 * n, [&] { on.relu_forward(x, y); });
  row("relu_backward", 3 * n, [&] { on.relu_backward(dy, y, dx); });
  row("batch_norm_train relu", 3 * n,
      [&] { on.batch_norm_train(x, {}, scale, shift, relu, running_mean, running_var, scratch, y, mean, inverse); });
  row("batch_norm_train residual relu", 4 * n, [&] {
    on.batch_norm_train(x, residual, scale, shift, relu, running_mean, running_var, scratch, y, mean, inverse);
  });
  row("batch_norm_eval residual relu", 3 * n,
      [&] { on.batch_norm_eval(x, residual, scale, shift, running_mean, running_var, relu, y); });
  row("batch_norm_train_backward relu", 7 * n,
      [&] { on.batch_norm_train_backward(dy, x, y, scale, mean, inverse, relu, scratch, dx, {}, dscale, dshift); });
  row("batch_norm_train_backward residual relu", 8 * n, [&] {
    on.batch_norm_train_backward(dy, x, y, scale, mean, inverse, relu, scratch, dx, dresidual, dscale, dshift);
  });
  row("global_avg_pool_forward", n, [&] { on.global_avg_pool_forward(x, pooled); });
  row("global_avg_pool_backward", n, [&] { on.global_avg_pool_backward(pooled, dx); });
}

void pool_cases(Backend& on, const KernelCaseOptions& options, const Shape& shape, const Measure& measure) {
  const Pool2dOptions pool{.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}};
  const Values values(on, options.dtype);
  const Tensor x = values.of(shape);
  const Tensor dx = on.empty(shape, options.dtype);
  const Tensor y = on.empty(pool2d_output_shape(shape, pool), options.dtype);
  const Tensor indices = on.empty(y.shape(), DType::i32);
  const double bytes = bytes_of(x) + bytes_of(y) + bytes_of(indices);
  measure({.kernel = "max_pool2d_forward 3x3 /2", .shape = shape.str(), .bytes = bytes, .call = [&] {
             on.max_pool2d_forward(x, pool, y, indices);
           }});
  measure({.kernel = "max_pool2d_backward 3x3 /2", .shape = shape.str(), .bytes = bytes, .call = [&] {
             on.max_pool2d_backward(y, indices, pool, dx);
           }});
}

void head_cases(Backend& on, const KernelCaseOptions& options, std::int64_t features, std::int64_t classes,
                const Measure& measure) {
  const Values values(on, options.dtype);
  const Tensor x = values.of({options.batch, features});
  const Tensor w = values.of({classes, features});
  const Tensor y = values.of({options.batch, classes});
  const GemmOptions gemm{.transpose_b = true};
  const Tensor scratch = on.scratch(on.gemm_scratch_bytes(x.shape(), w.shape(), options.dtype, options.dtype, gemm));
  measure({.kernel = "gemm",
           .shape = fmt::format("{}x{}x{} transposed b", options.batch, classes, features),
           .flops = 2.0 * static_cast<double>(options.batch * features * classes),
           .call = [&] { on.gemm(x, w, {}, gemm, scratch, y); }});
  const Tensor labels = on.zeros({options.batch}, DType::i64);
  const Tensor loss = on.zeros({1}, DType::f32);
  const Tensor dlogits = on.empty(y.shape(), options.dtype);
  measure({.kernel = "softmax_cross_entropy", .shape = y.shape().str(), .bytes = 2 * bytes_of(y), .call = [&] {
             on.softmax_cross_entropy(y, labels, 0.1, loss, dlogits);
           }});
}

/// One group of parameters in tensors of mixed sizes.
void optimizer_cases(Backend& on, const KernelCaseOptions& options, std::int64_t parameters, const Measure& measure) {
  std::vector<std::vector<Tensor>> sets(4);
  double bytes = 0.0;
  for (std::vector<Tensor>& set : sets) {
    for (const std::int64_t share : {2, 4, 8, 16, 64, 256, 1024}) {
      set.push_back(on.zeros({std::max<std::int64_t>(parameters / options.shrink / share, 1)}, DType::f32));
    }
  }
  for (const Tensor& tensor : sets.front()) bytes += bytes_of(tensor);
  const Tensor lr = on.zeros({1}, DType::f32);
  const Tensor step = on.zeros({1}, DType::i64);
  on.advance(step);
  const std::string shape = fmt::format("{:.2f} M parameters", bytes / 4e6);
  measure({.kernel = "sgd_step momentum", .shape = shape, .bytes = 5 * bytes, .call = [&] {
             on.sgd_step(sets[0], sets[1], sets[2], lr, {}, {.momentum = 0.9, .weight_decay = 1e-4});
           }});
  measure({.kernel = "adamw_step", .shape = shape, .bytes = 7 * bytes, .call = [&] {
             on.adamw_step(sets[0], sets[1], sets[2], sets[3], lr, step, {}, {});
           }});
}

}  // namespace

std::vector<KernelCase> ceiling_cases(Backend& backend, const KernelCaseOptions& options) {
  const Values values(backend, options.dtype);
  const bool gpu = backend.kind() == "cuda";  // large enough to fill it; a processor would take minutes
  const std::int64_t count = (std::int64_t{1} << (gpu ? 27 : 24)) / (options.shrink * options.shrink);
  const Tensor from = values.of({count});
  const Tensor to = values.of({count});
  const std::int64_t n = std::max<std::int64_t>((gpu ? 8192 : 1024) / options.shrink, 1);
  const Tensor a = values.of({n, n});
  const Tensor b = values.of({n, n});
  const Tensor c = values.of({n, n});
  const Tensor scratch =
      backend.scratch(backend.gemm_scratch_bytes(a.shape(), b.shape(), options.dtype, options.dtype, {}));
  return {{.kernel = "copy",
           .shape = from.shape().str(),
           .bytes = 2 * bytes_of(from),
           .call = [&backend, from, to] { backend.copy(from, to); }},
          {.kernel = "gemm",
           .shape = fmt::format("{0}x{0}x{0}", n),
           .flops = 2.0 * static_cast<double>(n * n * n),
           .call = [&backend, a, b, c, scratch] { backend.gemm(a, b, {}, {}, scratch, c); }}};
}

void for_each_kernel_case(Backend& backend, const KernelCaseOptions& options, const Measure& measure) {
  const bool large = options.network == "resnet50";
  if (!large && options.network != "resnet20")
    fail(ErrorKind::usage, "--network {}: give resnet50 or resnet20", options.network);
  for (const ConvLayer& layer : large ? resnet50_layers() : resnet20_layers()) {
    conv_cases(backend, options, layer, measure);
  }
  const auto activation = [&](std::int64_t size, std::int64_t channels) {
    const auto shrunk = [&](std::int64_t extent) { return std::max<std::int64_t>(extent / options.shrink, 2); };
    return Shape{options.batch, shrunk(size), shrunk(size), shrunk(channels)};
  };
  if (large) {
    activation_cases(backend, options, activation(112, 64), measure);
    activation_cases(backend, options, activation(56, 256), measure);
    activation_cases(backend, options, activation(7, 2048), measure);
    pool_cases(backend, options, activation(112, 64), measure);
    head_cases(backend, options, 2048 / options.shrink, 1000, measure);
    optimizer_cases(backend, options, 25'557'032, measure);
  } else {
    activation_cases(backend, options, activation(32, 16), measure);
    activation_cases(backend, options, activation(8, 64), measure);
    head_cases(backend, options, 64 / options.shrink, 10, measure);
    optimizer_cases(backend, options, 269'722, measure);
  }
}

}  // namespace graft
