#include <utility>

#include "cuda/backend/cuda_backend.h"
#include "cuda/runtime/graph.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// A graph with the memory at whose addresses it works.
class CapturedGraph final : public CapturedWork {
 public:
  CapturedGraph(const Stream& stream, std::shared_ptr<MemoryPool> memory, const std::function<void()>& work)
      : stream_(stream), memory_(std::move(memory)), graph_(stream, work) {}
  ~CapturedGraph() override {
    // A replay may still be running in the memory that goes now; of an error there is nobody to tell.
    cudaStreamSynchronize(stream_.handle());
  }

  void replay() override { graph_.launch(stream_); }

 private:
  const Stream& stream_;
  std::shared_ptr<MemoryPool> memory_;
  Graph graph_;
};

/// Sends allocations to `pool` while it lives.
class PoolScope {
 public:
  PoolScope(std::shared_ptr<MemoryPool>& slot, std::shared_ptr<MemoryPool> pool) : slot_(slot) {
    slot_ = std::move(pool);
  }
  ~PoolScope() { slot_ = nullptr; }
  PoolScope(const PoolScope&) = delete;
  PoolScope& operator=(const PoolScope&) = delete;

 private:
  std::shared_ptr<MemoryPool>& slot_;
};

}  // namespace

std::unique_ptr<CapturedWork> CudaBackend::capture(const std::function<void()>& work) {
  check(capture_pool_ == nullptr, "[capture] work is being recorded already");
  check(stream_.timer() == nullptr, "[capture] kernels are being timed: time them without capturing");
  // What was put by for steps that are not recorded would only lie beside the graph's own memory.
  stream_.synchronize();
  pool_->trim();
  const PoolScope scope(capture_pool_, pool_->create_private());
  return std::make_unique<CapturedGraph>(stream_, capture_pool_, work);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
