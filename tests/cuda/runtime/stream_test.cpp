#include "cuda/runtime/stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <vector>

#include "cuda/runtime/check.h"
#include "cuda/runtime/event.h"
#include "cuda/runtime/graph.h"
#include "cuda/runtime/memory_pool.h"
#include "cuda/runtime/uploader.h"
#include "engine/base/error.h"

// Streams, events, graphs and uploads on deferred streams: work is done when somebody waits for it and no sooner, so
// what only time would have put right goes wrong here.
namespace graft::cuda::testing {
namespace {

class Deferred : public ::testing::Test {
 protected:
  Deferred() : stream_(open_device(0)), pool_(MemoryPool::create(stream_.device())) {}

  int value_of(const StoragePtr& block) const {
    int value = 0;
    stream_.copy(block->data(), &value, sizeof value);
    stream_.synchronize();
    return value;
  }

  emulator::ScopedDeferredStreams deferred_;
  Stream stream_;
  std::shared_ptr<MemoryPool> pool_;
};

TEST_F(Deferred, NothingIsDoneBeforeItIsWaitedFor) {
  int from = 1;
  int to = 0;
  stream_.copy(&from, &to, sizeof to);
  const Event event;
  EXPECT_TRUE(event.passed()) << "never recorded";
  event.record(stream_);
  EXPECT_EQ(to, 0);
  EXPECT_FALSE(event.passed());
  event.synchronize();
  EXPECT_EQ(to, 1);
  EXPECT_TRUE(event.passed());
}

TEST_F(Deferred, AStreamWaitsForAnotherStreamsEvent) {
  const Stream other(stream_.device());
  int first = 1;
  int second = 0;
  int third = 0;
  const Event event;
  other.copy(&first, &second, sizeof first);
  event.record(other);
  stream_.wait(event);
  stream_.copy(&second, &third, sizeof third);
  stream_.synchronize();
  EXPECT_EQ(third, 1);
}

/// The planted twin of the test above: without the event the copy reads too soon.
TEST_F(Deferred, WithoutTheEventItReadsTooSoon) {
  const Stream other(stream_.device());
  int first = 1;
  int second = 0;
  int third = 0;
  other.copy(&first, &second, sizeof first);
  stream_.copy(&second, &third, sizeof third);
  stream_.synchronize();
  EXPECT_EQ(third, 0);
}

TEST_F(Deferred, AGraphDoesItsWorkAtEachLaunch) {
  const StoragePtr counter = pool_->allocate(sizeof(int));
  const StoragePtr copy = pool_->allocate(sizeof(int));
  const Graph graph(stream_, [&] { stream_.copy(counter->data(), copy->data(), sizeof(int)); });
  for (int round = 1; round <= 3; ++round) {
    stream_.copy(&round, counter->data(), sizeof round);
    graph.launch(stream_);
    EXPECT_EQ(value_of(copy), round);
  }
}

TEST_F(Deferred, WhatWaitsCannotBeCaptured) {
  try {
    const Graph graph(stream_, [&] { stream_.synchronize(); });
    FAIL() << "captured";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    EXPECT_NE(std::string(error.what()).find("cudaErrorStreamCaptureUnsupported, at stream.cpp:"), std::string::npos)
        << error.what();
  }
  EXPECT_NO_THROW(stream_.synchronize()) << "the capture has ended all the same";
}

TEST_F(Deferred, WorkThatThrowsLeavesNoCapture) {
  EXPECT_THROW(Graph(stream_, [] { fail(ErrorKind::failure, "planted"); }), Error);
  EXPECT_NO_THROW(stream_.synchronize());
  const StoragePtr block = pool_->allocate(sizeof(int));
  const int value = 7;
  stream_.copy(&value, block->data(), sizeof value);
  EXPECT_EQ(value_of(block), 7);
}

/// Sources are overwritten as soon as copy() returns, destinations are read by earlier work that has not been done.
TEST_F(Deferred, UploadsReadTheirSourceAtOnceAndWriteInTheStreamsOrder) {
  Uploader uploader(stream_, *pool_);
  const std::vector<std::size_t> sizes{1, 4096, 4097, 100000, Uploader::kSlotBytes + 5, 4, 3 * Uploader::kSlotBytes, 9};
  const std::size_t most = 3 * Uploader::kSlotBytes;
  const StoragePtr destination = pool_->allocate(most);
  std::vector<std::vector<std::byte>> seen(sizes.size());
  std::vector<std::byte> source(most);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t k = 0; k < sizes[i]; ++k) source[k] = static_cast<std::byte>((k * 31 + i * 7) % 251);
    uploader.copy(source.data(), destination->data(), sizes[i]);
    std::fill(source.begin(), source.end(), std::byte{255});
    seen[i].resize(sizes[i]);
    stream_.copy(destination->data(), seen[i].data(), sizes[i]);  // before the next upload, by the stream's order
  }
  stream_.synchronize();
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::size_t wrong = 0;
    for (std::size_t k = 0; k < sizes[i]; ++k) wrong += seen[i][k] != static_cast<std::byte>((k * 31 + i * 7) % 251);
    EXPECT_EQ(wrong, 0u) << "upload " << i << " of " << sizes[i] << " bytes";
  }
}

TEST_F(Deferred, ManySmallUploadsGoRoundTheirRing) {
  Uploader uploader(stream_, *pool_);
  constexpr int kCount = 1000;
  const StoragePtr block = pool_->allocate(kCount * sizeof(int));
  for (int i = 0; i < kCount; ++i) uploader.copy(&i, static_cast<int*>(block->data()) + i, sizeof i);
  std::vector<int> seen(kCount);
  stream_.copy(block->data(), seen.data(), kCount * sizeof(int));
  stream_.synchronize();
  std::vector<int> expected(kCount);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(seen, expected);
}

TEST(CheckCuda, NamesTheErrorThePlaceAndWhatToDo) {
  EXPECT_NO_THROW(check_cuda(cudaSuccess, "cudaMalloc"));
  try {
    check_cuda(cudaErrorIllegalAddress, "relu_forward");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    const std::string text = error.what();
    EXPECT_EQ(text.find("[cuda] relu_forward: an illegal memory access was encountered (cudaErrorIllegalAddress, at "
                        "stream_test.cpp:"),
              0u)
        << text;
    EXPECT_NE(text.find("start it again"), std::string::npos) << text;
  }
}

/// A program that was compiled for other GPUs than the one that is here.
TEST(CheckCuda, SaysWhenTheProgramHasNoCodeForTheGpu) {
  try {
    check_cuda(cudaErrorNoKernelImageForDevice, "relu_forward");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device);
    EXPECT_NE(std::string(error.what()).find("GRAFT_CUDA_ARCHITECTURES=native"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace graft::cuda::testing
