#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "cuda/backends.h"
#include "cuda/emulator/device_api.h"
#include "engine/base/error.h"

// Recorded work of a backend: replays give the bits of calls, and the memory stays the graph's.
namespace graft::testing {
namespace {

class Capture : public ::testing::TestWithParam<bool> {
 protected:
  Capture() {
    std::unique_ptr<cuda::emulator::ScopedDeferredStreams> deferred;
    if (GetParam()) deferred = std::make_unique<cuda::emulator::ScopedDeferredStreams>();
    backend_ = make_cuda_emulated_backend({});
  }
  Tensor upload(const std::vector<float>& values) {
    const Tensor tensor = backend_->empty({static_cast<std::int64_t>(values.size())}, DType::f32);
    backend_->copy_from_host(values.data(), tensor);
    return tensor;
  }
  std::vector<float> values(const Tensor& tensor) {
    std::vector<float> host(static_cast<std::size_t>(tensor.numel()));
    backend_->copy_to_host(tensor, host.data());
    return host;
  }

  std::unique_ptr<Backend> backend_;
};

TEST_P(Capture, ReplaysDoTheWorkOnWhatTheInputsHoldThen) {
  const Tensor x = upload({1, 2, 3});
  const Tensor sum = upload({0, 0, 0});
  const auto work = [&] {
    const Tensor twice = backend_->empty(x.shape(), x.dtype());
    backend_->add(x, x, twice);
    const Tensor next = backend_->empty(x.shape(), x.dtype());
    backend_->add(sum, twice, next);
    backend_->copy(next, sum);
  };
  ASSERT_TRUE(backend_->can_capture());
  const std::unique_ptr<CapturedWork> captured = backend_->capture(work);
  EXPECT_EQ(values(sum), (std::vector<float>{0, 0, 0})) << "recording runs nothing";
  captured->replay();
  EXPECT_EQ(values(sum), (std::vector<float>{2, 4, 6}));
  const std::vector<float> other{10, 20, 30};
  backend_->copy_from_host(other.data(), x);
  captured->replay();
  captured->replay();
  EXPECT_EQ(values(sum), (std::vector<float>{42, 84, 126}));
  work();
  EXPECT_EQ(values(sum), (std::vector<float>{62, 124, 186}));
}

TEST_P(Capture, ItsMemoryIsNobodyElses) {
  const Tensor x = upload({1, 2, 3});
  const Tensor y = upload({0, 0, 0});
  const void* inside = nullptr;
  std::unique_ptr<CapturedWork> captured = backend_->capture([&] {
    const Tensor t = backend_->empty(x.shape(), x.dtype());
    inside = t.raw();
    backend_->add(x, x, t);
    backend_->add(t, x, y);
  });
  std::vector<Tensor> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(upload({-1, -1, -1}));
    EXPECT_NE(others.back().raw(), inside);
  }
  captured->replay();
  EXPECT_EQ(values(y), (std::vector<float>{3, 6, 9}));
  const std::size_t held = backend_->bytes_reserved();
  captured = nullptr;
  EXPECT_LT(backend_->bytes_reserved(), held);
}

TEST_P(Capture, CopiesFromTheHostAreRefused) {
  const Tensor x = upload({1, 2, 3});
  const float value[3] = {};
  EXPECT_THROW(backend_->capture([&] { backend_->copy_from_host(value, x); }), Error);
  EXPECT_EQ(values(x), (std::vector<float>{1, 2, 3})) << "the backend goes on";
  const auto recorded = backend_->capture([&] { backend_->copy(x, backend_->empty(x.shape(), x.dtype())); });
  EXPECT_THROW(backend_->capture([&] { backend_->capture([] {}); }), Error);
}

INSTANTIATE_TEST_SUITE_P(Streams, Capture, ::testing::Bool(),
                         [](const auto& mode) { return mode.param ? "deferred" : "immediate"; });

TEST(CaptureOff, NoGraphMeansThatTheCallerRunsItsWork) {
  const auto backend = make_cuda_emulated_backend({.graph = false});
  EXPECT_FALSE(backend->can_capture());
}

TEST(CudaOptions, WhatTheDeviceLacksIsAMistakeOfTheCaller) {
  const auto error_of = [](const BackendOptions& options) -> std::string {
    try {
      make_cuda_emulated_backend(options);
      return "";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.what();
    }
  };
  EXPECT_EQ(error_of({.conv = "cudnn"}), "--conv cudnn: this emulated device is without cuDNN; use --conv native");
  EXPECT_EQ(error_of({.gemm = "cublas"}), "--gemm cublas: this emulated device is without cuBLAS; use --gemm native");
  EXPECT_EQ(error_of({.conv = "fast"}), "--conv fast: give native, cudnn or auto");
  EXPECT_EQ(error_of({.conv = "auto", .tf32 = true}), "");
}

TEST(CudaOptions, WhatBitsDependOnIsPartOfTheDeviceKind) {
  EXPECT_EQ(make_cuda_emulated_backend({})->device_kind(), "cuda-emulated:emulated");
  EXPECT_EQ(make_cuda_emulated_backend({.graph = false})->device_kind(), "cuda-emulated:emulated");
  EXPECT_EQ(make_cuda_emulated_backend({.conv = "auto", .gemm = "auto", .tf32 = true})->device_kind(),
            "cuda-emulated:emulated conv=auto gemm=auto tf32");
}

}  // namespace
}  // namespace graft::testing
