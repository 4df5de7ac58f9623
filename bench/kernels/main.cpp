// Kernels of the CPU backend that memory bounds: GB/s beside those of a copy of the same tensor in the same run.
// Usage: bench_kernels [threads] [rounds] [part of a case's name]

#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "bench/kernels/timer.h"
#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"

namespace graft::bench {
namespace {

struct Case {
  const char* name;
  Shape shape;
};

const std::vector<Case> kCases = {
    {"ResNet-20 stage 1", {128, 32, 32, 16}}, {"ResNet-20 stage 3", {128, 8, 8, 64}},
    {"ResNet-18 stem", {16, 112, 112, 64}},   {"ResNet-50 stage 1", {16, 56, 56, 256}},
    {"ResNet-50 stage 4", {16, 7, 7, 2048}},
};

/// All tensors that the kernels of one case read and write.
struct Arena {
  Backend& backend;
  Shape shape;
  DType dtype;
  Tensor x, y, dy, dx, residual, dresidual, pooled, indices;
  Tensor scale, shift, mean, inverse, dscale, dshift, running_mean, running_var, scratch;
  Pool2dOptions pool{.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}};

  Arena(Backend& on, const Shape& of, DType type) : backend(on), shape(of), dtype(type) {
    for (Tensor* t : {&x, &y, &dy, &dx, &residual, &dresidual}) {
      *t = backend.empty(shape, dtype);
      backend.fill(0.5, *t);
      // Values must differ, or the branch-free masks would be the only thing tested: a normalised pattern of dropout.
      backend.dropout(*t, {.p = 0.5, .random = {.seed = 1, .stream = 2}}, backend.zeros({1}, DType::i64), *t);
    }
    pooled = backend.empty(pool2d_output_shape(shape, pool), dtype);
    indices = backend.empty(pooled.shape(), DType::i32);
    for (Tensor* t : {&scale, &shift, &mean, &inverse, &dscale, &dshift, &running_mean, &running_var}) {
      *t = backend.empty({shape[3]}, DType::f32);
      backend.fill(1.0, *t);
    }
    scratch = backend.scratch(backend.batch_norm_scratch_bytes(shape, dtype));
    backend.max_pool2d_forward(x, pool, pooled, indices);
  }
};

/// The bytes of a kernel are those of each tensor for each pass over it; batch norm in training needs two over x.
std::vector<Candidate> candidates(const std::shared_ptr<Arena>& a) {
  const auto n = static_cast<double>(a->x.nbytes());
  const auto m = static_cast<double>(a->pooled.nbytes() + a->indices.nbytes());
  const BatchNormOptions relu{.relu = true};
  Backend& on = a->backend;
  return {
      {"copy", 2 * n, [=, &on] { on.copy(a->x, a->y); }},
      {"add", 3 * n, [=, &on] { on.add(a->x, a->residual, a->y); }},
      {"relu_backward", 3 * n, [=, &on] { on.relu_backward(a->dy, a->y, a->dx); }},
      {"batch_norm_train relu", 3 * n,
       [=, &on] {
         on.batch_norm_train(a->x, {}, a->scale, a->shift, relu, a->running_mean, a->running_var, a->scratch, a->y,
                             a->mean, a->inverse);
       }},
      {"batch_norm_train residual relu", 4 * n,
       [=, &on] {
         on.batch_norm_train(a->x, a->residual, a->scale, a->shift, relu, a->running_mean, a->running_var, a->scratch,
                             a->y, a->mean, a->inverse);
       }},
      {"batch_norm_eval residual relu", 3 * n,
       [=, &on] { on.batch_norm_eval(a->x, a->residual, a->scale, a->shift, a->mean, a->inverse, relu, a->y); }},
      {"batch_norm_train_backward relu", 7 * n,
       [=, &on] {
         on.batch_norm_train_backward(a->dy, a->x, a->y, a->scale, a->mean, a->inverse, relu, a->scratch, a->dx, {},
                                      a->dscale, a->dshift);
       }},
      {"batch_norm_train_backward residual relu", 7 * n,
       [=, &on] {
         on.batch_norm_train_backward(a->dy, a->x, a->y, a->scale, a->mean, a->inverse, relu, a->scratch, a->dx,
                                      a->dresidual, a->dscale, a->dshift);
       }},
      {"max_pool2d 3x3/2", n + m, [=, &on] { on.max_pool2d_forward(a->x, a->pool, a->pooled, a->indices); }},
      {"max_pool2d_backward 3x3/2", n + m, [=, &on] { on.max_pool2d_backward(a->pooled, a->indices, a->pool, a->dx); }},
      {"global_avg_pool", n,
       [=, &on] {
         on.global_avg_pool_forward(a->x, on.empty({a->shape[0], a->shape[3]}, a->dtype));
       }},
  };
}

void report(const std::string& title, const std::vector<Candidate>& all, int rounds, clockid_t clock) {
  const std::vector<double> seconds = least_seconds(all, rounds, clock);
  const double copy_rate = all[0].bytes / seconds[0];
  fmt::print("{}\n", title);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double rate = all[i].bytes / seconds[i];
    fmt::print("  {:42} {:9.3f} ms {:7.1f} GB/s {:6.2f} of copy\n", all[i].name, seconds[i] * 1e3, rate / 1e9,
               rate / copy_rate);
  }
}

/// A ResNet-50's worth of parameters in tensors of mixed sizes.
std::vector<Candidate> optimizer_candidates(Backend& on) {
  auto tensors = std::make_shared<std::vector<std::vector<Tensor>>>(4);
  double n = 0.0;
  for (std::vector<Tensor>& group : *tensors) {
    for (const std::int64_t size : {9408, 64, 64, 36864, 147456, 589824, 2359296, 512, 4194304, 2048000, 1000}) {
      group.push_back(on.zeros({2 * size}, DType::f32));
    }
  }
  for (const Tensor& tensor : tensors->front()) n += static_cast<double>(tensor.nbytes());
  const Tensor lr = on.zeros({1}, DType::f32);
  const Tensor step = on.zeros({1}, DType::i64);
  on.advance(step);
  const Tensor flat = on.zeros({static_cast<std::int64_t>(n) / 4}, DType::f32);
  const Tensor copied = on.zeros({static_cast<std::int64_t>(n) / 4}, DType::f32);
  const Tensor clip = on.zeros({1}, DType::f32);
  const Tensor norm = on.zeros({1}, DType::f32);
  const Tensor scratch = on.scratch(on.clip_scratch_bytes((*tensors)[1]));
  return {{"copy", 2 * n, [=, &on] { on.copy(flat, copied); }},
          {"sgd_step momentum", 5 * n,
           [=, &on] {
             on.sgd_step((*tensors)[0], (*tensors)[1], (*tensors)[2], lr, {}, {.momentum = 0.9, .weight_decay = 1e-4});
           }},
          {"adamw_step", 7 * n,
           [=, &on] { on.adamw_step((*tensors)[0], (*tensors)[1], (*tensors)[2], (*tensors)[3], lr, step, {}, {}); }},
          {"clip_scale", n, [=, &on] { on.clip_scale((*tensors)[1], 1.0, scratch, clip, norm); }}};
}

void run(int threads, int rounds, const std::string& only) {
  const std::unique_ptr<Backend> backend = make_cpu_backend({.threads = threads});
  fmt::print("{}, {} threads, least of {} rounds in turns; a copy counts its reads and its writes\n",
             backend->device_kind(), backend->threads(), rounds);
  const clockid_t clock = backend->threads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (!backend->supports(dtype)) continue;
    for (const Case& c : kCases) {
      if (std::string(c.name).find(only) == std::string::npos) continue;
      const auto arena = std::make_shared<Arena>(*backend, c.shape, dtype);
      report(fmt::format("{} {}, {}", name_of(dtype), c.shape.str(), c.name), candidates(arena), rounds, clock);
    }
  }
  if (only.empty()) report("f32, 18.8 million parameters", optimizer_candidates(*backend), rounds, clock);
}

}  // namespace
}  // namespace graft::bench

int main(int argc, char** argv) {
  try {
    graft::bench::run(argc > 1 ? std::atoi(argv[1]) : 0, argc > 2 ? std::atoi(argv[2]) : 9, argc > 3 ? argv[3] : "");
  } catch (const graft::Error& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}
