#include "tests/backend/kernel_test.h"

#include <cmath>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "tests/backend/values.h"

namespace graft::testing {

namespace {

constexpr int kUnwritten = 0xff;      // NaN in every floating dtype, -1 in the signed integers
constexpr std::size_t kFence = 4096;  // bytes behind scratch that a kernel must leave alone

DType oracle_dtype(DType dtype) { return is_floating(dtype) ? DType::f64 : dtype; }

void poison(const Tensor& tensor) {
  const std::vector<std::uint8_t> pattern(tensor.nbytes(), kUnwritten);
  tensor.backend().copy_from_host(pattern.data(), tensor);
}

}  // namespace

void PrintTo(const KernelParam& param, std::ostream* out) { *out << param.backend.name << ' ' << name_of(param.dtype); }

std::vector<KernelParam> kernel_params(const std::vector<DType>& dtypes) {
  std::vector<KernelParam> params;
  for (const BackendUnderTest& backend : backends_under_test()) {
    for (const DType dtype : dtypes) params.push_back({backend, dtype});
  }
  return params;
}

std::vector<KernelParam> product_params() {
  std::vector<KernelParam> params = kernel_params();
#ifdef GRAFT_WITH_CUDA
  const BackendUnderTest libraries{"cudaLibraries",
                                   [] { return make_cuda_backend({.conv = "cudnn", .gemm = "cublas"}); }};
  try {
    libraries.make();
  } catch (const Error&) {
    return params;  // no GPU, or not the libraries
  }
  for (const DType dtype : {DType::f32, DType::bf16}) params.push_back({libraries, dtype});
#endif
  return params;
}

std::string kernel_param_name(const ::testing::TestParamInfo<KernelParam>& info) {
  return info.param.backend.name + "_" + std::string(name_of(info.param.dtype));
}

void KernelTest::SetUp() {
  oracle_ = make_reference_backend({});
  backend_ = GetParam().backend.make();
  if (!backend_->supports(dtype())) {
    GTEST_SKIP() << backend_->device_kind() << " does not compute in " << name_of(dtype());
  }
}

void KernelTest::TearDown() {
  for (const Tensor& fence : fences_) {
    std::vector<std::uint8_t> bytes(fence.nbytes());
    backend().copy_to_host(fence, bytes.data());
    EXPECT_EQ(bytes, std::vector<std::uint8_t>(bytes.size(), kUnwritten)) << "a kernel wrote behind its scratch";
  }
  fences_.clear();
  EXPECT_EQ(backend_->bytes_in_use(), 0u) << "a kernel kept tensor memory";
}

Pair KernelTest::normal(const Shape& shape, DType dtype, double mean, double deviation) {
  const RandomStream random{.seed = 2026, .stream = draws_++};
  std::vector<double> values(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto words = random.words(0, i);
    values[i] = mean + deviation * normal_pair(words[0], words[1])[0];
  }
  return of(values, shape, dtype);
}

Pair KernelTest::of(const std::vector<double>& values, const Shape& shape, DType dtype) {
  const Pair pair{memory(shape, dtype), oracle().empty(shape, oracle_dtype(dtype))};
  set_values(pair.tested, values);
  set_values(pair.exact, values_of(pair.tested));
  return pair;
}

Pair KernelTest::output(const Shape& shape, DType dtype) {
  const Pair pair{memory(shape, dtype), oracle().empty(shape, oracle_dtype(dtype))};
  poison(pair.tested);
  poison(pair.exact);
  return pair;
}

Tensor KernelTest::memory(const Shape& shape, DType dtype) {
  if (!misaligned_) return backend().empty(shape, dtype);
  return backend().empty({shape.numel() + 1}, dtype).slice(1, shape.numel() + 1).reshape(shape);
}

Tensor KernelTest::scratch(std::size_t bytes) {
  if (bytes == 0) return {};
  const Tensor whole = backend().scratch(bytes + kFence);
  poison(whole);
  const auto end = static_cast<std::int64_t>(bytes);
  fences_.push_back(whole.slice(end, end + static_cast<std::int64_t>(kFence)));
  return whole.slice(0, end);
}

Tensor KernelTest::absolute(const Tensor& exact) {
  if (!exact.defined()) return {};
  std::vector<double> values = values_of(exact);
  for (double& value : values) value = std::abs(value);
  Tensor result = like(exact);
  set_values(result, values);
  return result;
}

Tensor KernelTest::like(const Tensor& exact) {
  return exact.defined() ? oracle().empty(exact.shape(), exact.dtype()) : Tensor();
}

}  // namespace graft::testing
