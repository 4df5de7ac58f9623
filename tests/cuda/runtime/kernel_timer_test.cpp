#include "cuda/runtime/kernel_timer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "cuda/runtime/check.h"
#include "cuda/runtime/memory_pool.h"
#include "engine/base/error.h"

// On a deferred stream, which does its work when it is waited for: what the host does meanwhile is not timed.
namespace graft::cuda::testing {
namespace {

constexpr std::chrono::milliseconds kNap{25};
constexpr std::size_t kBytes = 64;

class KernelTimerTest : public ::testing::Test {
 protected:
  KernelTimerTest()
      : stream_(open_device(0)),
        pool_(MemoryPool::create(stream_.device())),
        a_(pool_->allocate(kBytes)),
        b_(pool_->allocate(kBytes)) {}

  /// Work that takes kNap on the device.
  void nap() const {
    check_cuda(cudaLaunchHostFunc(
                   stream_.handle(), [](void*) { std::this_thread::sleep_for(kNap); }, nullptr),
               "cudaLaunchHostFunc");
  }
  void copy() const { stream_.copy(a_->data(), b_->data(), kBytes); }
  void clear() const { stream_.fill_bytes(a_->data(), 0, kBytes); }

  static std::map<std::string, KernelTime> by_name(const KernelTimer& timer) {
    std::map<std::string, KernelTime> named;
    for (const KernelTime& time : timer.times()) named[time.kernel] = time;
    return named;
  }

  emulator::ScopedDeferredStreams deferred_;
  Stream stream_;
  std::shared_ptr<MemoryPool> pool_;
  StoragePtr a_;
  StoragePtr b_;
};

TEST_F(KernelTimerTest, AddsUpCallsByNameAndLeavesOutWhatLiesBetween) {
  clear();
  const KernelTimer timer(stream_);
  timed(stream_, "nap", [&] { nap(); });
  copy();
  nap();  // nobody's
  copy();
  timed(stream_, "nap", [&] { nap(); });
  std::this_thread::sleep_for(kNap);  // the host's
  const std::map<std::string, KernelTime> times = by_name(timer);
  ASSERT_EQ(times.size(), 2u) << "what was given before the timer counts too";
  EXPECT_EQ(times.at("nap").calls, 2);
  EXPECT_EQ(times.at("copy").calls, 2);
  EXPECT_GE(times.at("nap").milliseconds, 2.0 * static_cast<double>(kNap.count()));
  EXPECT_GE(times.at("copy").milliseconds, 0.0);
  EXPECT_LT(times.at("copy").milliseconds, times.at("nap").milliseconds);
  EXPECT_EQ(timer.times().front().kernel, "nap") << "the longest first";
}

TEST_F(KernelTimerTest, WhatALibraryCallsIsTheLibrarys) {
  const KernelTimer timer(stream_);
  timed(stream_, "library", [&] {
    clear();
    copy();
  });
  clear();
  const std::map<std::string, KernelTime> times = by_name(timer);
  ASSERT_EQ(times.size(), 2u);
  EXPECT_EQ(times.at("library").calls, 1);
  EXPECT_EQ(times.at("fill_bytes").calls, 1);
}

TEST_F(KernelTimerTest, EndsWithItself) {
  {
    const KernelTimer timer(stream_);
    EXPECT_EQ(stream_.timer(), &timer);
    EXPECT_THROW(KernelTimer(stream_).times(), Error) << "one at a time";
    EXPECT_EQ(stream_.timer(), &timer);
    EXPECT_TRUE(timer.times().empty());
  }
  EXPECT_EQ(stream_.timer(), nullptr);
  copy();
  stream_.synchronize();
}

}  // namespace
}  // namespace graft::cuda::testing
