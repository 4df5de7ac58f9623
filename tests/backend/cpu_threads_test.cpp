#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "tests/backend/values.h"

// What the CPU backend promises about threads: results that are written per element have the same bits at any thread
// count; a reduction's bits depend on that of its backend and on nothing else.

namespace graft::testing {
namespace {

std::vector<double> normal_values(std::int64_t count, std::uint64_t stream) {
  const RandomStream random{.seed = 11, .stream = stream};
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto words = random.words(0, static_cast<std::uint64_t>(i));
    values.push_back(normal_pair(words[0], words[1])[0]);
  }
  return values;
}

Tensor normal(Backend& backend, const Shape& shape, DType dtype, std::uint64_t stream) {
  const Tensor result = backend.empty(shape, dtype);
  set_values(result, normal_values(shape.numel(), stream));
  return result;
}

using Bytes = std::vector<std::uint8_t>;

// Large enough that three threads get a share of every kernel; odd, so that the shares are unequal and end in the
// middle of a vector.
const Shape kImages{5, 43, 41, 13};

/// Results that are written per element.
std::vector<Bytes> elementwise_results(Backend& backend, DType dtype) {
  const Tensor x = normal(backend, kImages, dtype, 1);
  const Tensor other = normal(backend, kImages, dtype, 2);
  const Tensor channel = normal(backend, {kImages[3]}, DType::f32, 3);
  const Tensor var = normal(backend, {kImages[3]}, DType::f32, 4);
  backend.relu_forward(var, var);
  const Tensor step = backend.zeros({1}, DType::i64);
  std::vector<Tensor> results(7);
  for (Tensor& result : results) result = backend.empty(kImages, dtype);
  backend.add(x, other, results[0]);
  backend.relu_backward(x, other, results[1]);
  backend.dropout(x, {.p = 0.3, .random = {.seed = 5, .stream = 6}}, step, results[2]);
  backend.batch_norm_eval(x, other, channel, channel, channel, var, {.relu = true}, results[3]);
  const Pool2dOptions pool{.kernel = {3, 3}, .window = {.stride = {2, 2}, .padding = Padding2d::same(1)}};
  const Shape pooled = pool2d_output_shape(kImages, pool);
  results.push_back(backend.empty(pooled, dtype));
  results.push_back(backend.empty(pooled, DType::i32));
  backend.max_pool2d_forward(x, pool, results[7], results[8]);
  backend.max_pool2d_backward(results[7], results[8], pool, results[4]);
  results.push_back(backend.empty(pooled, dtype));
  backend.avg_pool2d_forward(x, pool, results[9]);
  backend.avg_pool2d_backward(results[9], pool, results[5]);
  backend.copy(x, results[6]);
  results.push_back(backend.empty({5, 13, 43, 41}, dtype));
  backend.nhwc_to_nchw(x, results[10]);
  std::vector<Bytes> bytes;
  for (const Tensor& result : results) bytes.push_back(bytes_of(result));
  return bytes;
}

/// Reductions, and what is computed from them.
std::vector<Tensor> reduction_results(Backend& backend, DType dtype) {
  const Tensor x = normal(backend, kImages, dtype, 1);
  const Tensor dy = normal(backend, kImages, dtype, 2);
  const Shape channels{kImages[3]};
  const Tensor scale = normal(backend, channels, DType::f32, 3);
  const Tensor scratch = backend.scratch(backend.batch_norm_scratch_bytes(kImages, dtype));
  const auto per_channel = [&] { return backend.empty(channels, DType::f32); };
  const Tensor y = backend.empty(kImages, dtype);
  const Tensor dx = backend.empty(kImages, dtype);
  const Tensor mean = per_channel();
  const Tensor inverse = per_channel();
  const Tensor dscale = per_channel();
  const Tensor dshift = per_channel();
  const Tensor sums = per_channel();
  backend.batch_norm_train(x, {}, scale, scale, {.relu = true}, {}, {}, scratch, y, mean, inverse);
  backend.batch_norm_train_backward(dy, x, y, scale, mean, inverse, {.relu = true}, scratch, dx, {}, dscale, dshift);
  backend.sum_rows(x, sums);
  const Tensor logits = normal(backend, {997, 101}, dtype, 5);
  const Tensor labels = backend.zeros({997}, DType::i64);
  const Tensor loss = backend.empty({1}, DType::f32);
  const Tensor dlogits = backend.empty(logits.shape(), dtype);
  backend.softmax_cross_entropy(logits, labels, 0.1, loss, dlogits);
  const Tensor clip = backend.empty({1}, DType::f32);
  const Tensor norm = backend.empty({1}, DType::f32);
  const std::vector<Tensor> gradients{normal(backend, {70001}, DType::f32, 6), normal(backend, {3}, DType::f32, 7)};
  backend.clip_scale(gradients, 1.0, backend.scratch(backend.clip_scratch_bytes(gradients)), clip, norm);
  const Tensor w = normal(backend, {17, 3, 3, 13}, dtype, 8);
  const Conv2dOptions conv{.window = {.padding = Padding2d::same(1)}};
  const Tensor convolved = backend.empty(conv2d_output_shape(kImages, w.shape(), conv), dtype);
  backend.conv2d_forward(x, w, {}, {}, conv,
                         backend.scratch(backend.conv2d_forward_scratch_bytes(kImages, w.shape(), dtype, conv)),
                         convolved);
  const Tensor dw = backend.empty(w.shape(), DType::f32);
  backend.conv2d_backward_weights(
      x, convolved, conv,
      backend.scratch(backend.conv2d_backward_weights_scratch_bytes(kImages, w.shape(), dtype, conv)), dw, {});
  const Conv2dOptions depthwise{.window = conv.window, .groups = kImages[3]};
  const Tensor depthwise_dw = backend.empty({13, 3, 3, 1}, DType::f32);
  backend.conv2d_backward_weights(
      x, dy, depthwise,
      backend.scratch(backend.conv2d_backward_weights_scratch_bytes(kImages, depthwise_dw.shape(), dtype, depthwise)),
      depthwise_dw, {});
  return {y, dx, mean, inverse, dscale, dshift, sums, loss, dlogits, clip, norm, convolved, dw, depthwise_dw};
}

std::vector<Bytes> reduction_bytes(int threads, DType dtype) {
  const std::unique_ptr<Backend> backend = make_cpu_backend({.threads = threads});
  std::vector<Bytes> bytes;
  for (const Tensor& result : reduction_results(*backend, dtype)) bytes.push_back(bytes_of(result));
  return bytes;
}

class CpuThreadsTest : public ::testing::TestWithParam<DType> {
 protected:
  void SetUp() override {
    if (!make_cpu_backend({.threads = 1})->supports(GetParam())) GTEST_SKIP() << "no bf16 at this instruction set";
  }
};

TEST_P(CpuThreadsTest, ElementwiseBitsDoNotDependOnTheThreadCount) {
  const std::vector<Bytes> alone = elementwise_results(*make_cpu_backend({.threads = 1}), GetParam());
  for (const int threads : {2, 3, 5}) {
    const std::vector<Bytes> shared = elementwise_results(*make_cpu_backend({.threads = threads}), GetParam());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i], shared[i]) << "result " << i << ", " << threads << " threads";
    }
  }
}

TEST_P(CpuThreadsTest, ReductionsRepeatTheirBits) {
  for (const int threads : {1, 2, 3}) {
    EXPECT_EQ(reduction_bytes(threads, GetParam()), reduction_bytes(threads, GetParam())) << threads << " threads";
  }
}

TEST_P(CpuThreadsTest, ReductionsAgreeAcrossThreadCounts) {
  // Only the order of f64 partial sums and of f32 blocks differs: well below one hundred roundings of the largest
  // element, where a share that is lost or counted twice changes a third of it.
  const std::unique_ptr<Backend> one = make_cpu_backend({.threads = 1});
  const std::unique_ptr<Backend> three = make_cpu_backend({.threads = 3});
  const std::vector<Tensor> alone = reduction_results(*one, GetParam());
  const std::vector<Tensor> shared = reduction_results(*three, GetParam());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const std::vector<double> expected = values_of(alone[i]);
    const std::vector<double> got = values_of(shared[i]);
    const double unit = std::max(kF32Roundoff, roundoff(alone[i].dtype()));
    // The gradient of the weights reads activations that may differ by a rounding in bf16.
    const double bound = 100.0 * unit * largest(expected);
    for (std::size_t j = 0; j < expected.size(); ++j) {
      ASSERT_NEAR(got[j], expected[j], bound) << "result " << i << ", element " << j;
    }
  }
}

TEST_P(CpuThreadsTest, BackendsSideBySideGiveTheBitsOfEachAlone) {
  const int before = omp_get_max_threads();
  const std::vector<int> counts{1, 2, 3};
  std::vector<std::vector<Bytes>> alone;
  for (const int threads : counts) alone.push_back(reduction_bytes(threads, GetParam()));

  omp_set_num_threads(4);
  std::vector<std::vector<Bytes>> together(counts.size());
  std::vector<std::thread> runs;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    runs.emplace_back([&, i] {
      for (int round = 0; round < 3; ++round) together[i] = reduction_bytes(counts[i], GetParam());
    });
  }
  for (std::thread& run : runs) run.join();
  EXPECT_EQ(omp_get_max_threads(), 4) << "a backend in another thread changed this thread's count";
  omp_set_num_threads(before);
  for (std::size_t i = 0; i < counts.size(); ++i) EXPECT_EQ(together[i], alone[i]) << counts[i] << " threads";
}

TEST_P(CpuThreadsTest, TwoBackendsOfOneThreadTakeTurns) {
  const std::vector<Bytes> alone = reduction_bytes(2, GetParam());
  const std::unique_ptr<Backend> two = make_cpu_backend({.threads = 2});
  const std::unique_ptr<Backend> three = make_cpu_backend({.threads = 3});
  reduction_results(*three, GetParam());
  std::vector<Bytes> bytes;
  for (const Tensor& result : reduction_results(*two, GetParam())) bytes.push_back(bytes_of(result));
  EXPECT_EQ(bytes, alone);
}

TEST_P(CpuThreadsTest, BackendsOfOneThreadWorkInsideAParallelRegion) {
  // Partial results are numbered by share, not by the number that OpenMP gives the caller's thread.
  std::vector<std::vector<Bytes>> inside(2);
  const std::vector<Bytes> alone = reduction_bytes(1, GetParam());
#pragma omp parallel num_threads(2)
  inside[static_cast<std::size_t>(omp_get_thread_num())] = reduction_bytes(1, GetParam());
  EXPECT_EQ(inside[0], alone);
  EXPECT_EQ(inside[1], alone);
}

TEST(CpuBackendTest, ThreadCountsAreChecked) {
  EXPECT_GE(make_cpu_backend({})->threads(), 1);
  EXPECT_EQ(make_cpu_backend({.threads = 3})->threads(), 3);
  try {
    make_cpu_backend({.threads = -2});
    FAIL() << "-2 threads were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, CpuThreadsTest, ::testing::Values(DType::f32, DType::bf16),
                         [](const ::testing::TestParamInfo<DType>& param) {
                           return std::string(name_of(param.param));
                         });

}  // namespace
}  // namespace graft::testing
