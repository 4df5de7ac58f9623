#include "cuda/runtime/graph.h"

#include "cuda/runtime/check.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// A capture that has begun; ends it, and drops what was recorded, unless end() was called.
class Capture {
 public:
  explicit Capture(const Stream& stream) : stream_(stream) {
    check_cuda(cudaStreamBeginCapture(stream.handle(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  }
  ~Capture() {
    if (!ended_) cudaStreamEndCapture(stream_.handle(), &graph_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
    if (!ended_) cudaGetLastError();  // that a capture was given up is no news to whoever gave it up
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  cudaGraph_t end() {
    ended_ = true;
    check_cuda(cudaStreamEndCapture(stream_.handle(), &graph_), "cudaStreamEndCapture");
    return graph_;
  }

 private:
  const Stream& stream_;
  cudaGraph_t graph_ = nullptr;
  bool ended_ = false;
};

}  // namespace

Graph::Graph(const Stream& stream, const std::function<void()>& work) {
  Capture capture(stream);
  work();
  check_cuda(cudaGraphInstantiate(&exec_, capture.end(), 0), "cudaGraphInstantiate");
}

Graph::~Graph() { cudaGraphExecDestroy(exec_); }

void Graph::launch(const Stream& stream) const {
  check_cuda(cudaGraphLaunch(exec_, stream.handle()), "cudaGraphLaunch");
}

CaptureAllowance::CaptureAllowance() { cudaThreadExchangeStreamCaptureMode(&mode_); }

CaptureAllowance::~CaptureAllowance() { cudaThreadExchangeStreamCaptureMode(&mode_); }

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
