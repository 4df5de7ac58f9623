#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/base/error.h"
#include "tests/backend/backends_under_test.h"

namespace graft::testing {
namespace {

class TimeKernels : public ::testing::TestWithParam<BackendUnderTest> {
 protected:
  std::unique_ptr<Backend> backend_ = GetParam().make();
};

TEST_P(TimeKernels, CountsCallsAndNothingElse) {
  if (backend_->kind() == "reference") {
    EXPECT_THROW(backend_->time_kernels([] {}), Error);
    return;
  }
  const Tensor a = backend_->zeros({5, 7}, DType::f32);
  const Tensor b = backend_->zeros({5, 7}, DType::f32);
  const auto work = [&] {
    backend_->add(a, b, b);
    backend_->sum_rows(a, backend_->empty({7}, DType::f32));
    backend_->add(a, b, b);
  };
  work();
  std::int64_t calls = 0;
  double milliseconds = 0.0;
  const std::vector<KernelTime> times = backend_->time_kernels(work);
  for (const KernelTime& time : times) {
    EXPECT_FALSE(time.kernel.empty());
    EXPECT_GE(time.milliseconds, 0.0) << time.kernel;
    if (time.kernel.starts_with("add")) {
      EXPECT_EQ(time.calls, 2) << time.kernel;
    }
    calls += time.calls;
    milliseconds += time.milliseconds;
  }
  EXPECT_EQ(times.size(), 2u);
  EXPECT_EQ(calls, 3);
  EXPECT_GT(milliseconds, 0.0);
  EXPECT_TRUE(backend_->time_kernels([] {}).empty());
}

TEST_P(TimeKernels, GoesOnAfterWorkThatFails) {
  if (backend_->kind() == "reference") return;
  EXPECT_THROW(backend_->time_kernels([] { fail(ErrorKind::failure, "planted"); }), Error);
  EXPECT_TRUE(backend_->time_kernels([] {}).empty());
}

TEST_P(TimeKernels, NotWhatIsCaptured) {
  if (!backend_->can_capture()) return;
  const Tensor a = backend_->zeros({3}, DType::f32);
  const auto work = [&] { backend_->fill(1.0, a); };
  EXPECT_THROW(backend_->time_kernels([&] { backend_->capture(work); }), Error);
  EXPECT_THROW(backend_->capture([&] { backend_->time_kernels(work); }), Error);
}

INSTANTIATE_TEST_SUITE_P(Backends, TimeKernels, ::testing::ValuesIn(backends_under_test()),
                         [](const auto& backend) { return backend.param.name; });

}  // namespace
}  // namespace graft::testing
