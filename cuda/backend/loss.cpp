#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/count_correct.h"
#include "cuda/kernels/sigmoid_cross_entropy.h"
#include "cuda/kernels/softmax_cross_entropy.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

LabelledLogits labelled(const Tensor& logits, const Tensor& labels) {
  return {logits.dtype(), logits.raw(), labels.data<std::int64_t>(), logits.dim(0), logits.dim(1)};
}

void check_workspace(std::size_t bytes) {
  check(bytes <= CudaBackend::kWorkspaceBytes, "[cuda] a kernel wants {} bytes of workspace, there are {}", bytes,
        CudaBackend::kWorkspaceBytes);
}

}  // namespace

void CudaBackend::softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                                        const Tensor& loss, const Tensor& dlogits) {
  check_softmax_cross_entropy(*this, logits, labels, label_smoothing, loss, dlogits);
  check_workspace(softmax_cross_entropy_workspace_bytes());
  cuda::softmax_cross_entropy(stream_, labelled(logits, labels), label_smoothing, workspace(), loss.data<float>(),
                              dlogits.raw());
}

void CudaBackend::sigmoid_cross_entropy(const Tensor& logits, const Tensor& targets, const Tensor& loss,
                                        const Tensor& dlogits) {
  check_sigmoid_cross_entropy(*this, logits, targets, loss, dlogits);
  check_workspace(sigmoid_cross_entropy_workspace_bytes());
  const TargetedLogits in{logits.dtype(), logits.raw(), targets.data<float>(), logits.numel()};
  cuda::sigmoid_cross_entropy(stream_, in, workspace(), loss.data<float>(), dlogits.raw());
}

void CudaBackend::count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) {
  check_count_correct(*this, logits, labels, k, count);
  check_workspace(count_correct_workspace_bytes());
  cuda::count_correct(stream_, labelled(logits, labels), k, workspace(), count.data<std::int64_t>());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
