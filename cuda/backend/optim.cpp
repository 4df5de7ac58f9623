#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/clip_scale.h"
#include "cuda/kernels/optimizer.h"
#include "engine/backend/contract.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Tensor i of each span as row i.
template <class... Spans>
TensorGroup<static_cast<int>(sizeof...(Spans))> group_of(const Spans&... spans) {
  const std::array<std::span<const Tensor>, sizeof...(Spans)> streams{spans...};
  TensorGroup<static_cast<int>(sizeof...(Spans))> group(streams[0].size());
  for (std::size_t i = 0; i < group.size(); ++i) {
    group[i].count = streams[0][i].numel();
    for (std::size_t stream = 0; stream < streams.size(); ++stream)
      group[i].data[stream] = streams[stream][i].template data<float>();
  }
  return group;
}

}  // namespace

void CudaBackend::sgd_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                           std::span<const Tensor> velocity, const Tensor& lr, const Tensor& gradient_scale,
                           const SgdOptions& options) {
  check_sgd_step(*this, parameters, gradients, velocity, lr, gradient_scale, options);
  const SgdStep step{lr.data<float>(), gradient_scale.data<float>(), static_cast<float>(options.weight_decay),
                     static_cast<float>(options.momentum), options.nesterov};
  if (velocity.empty()) {
    cuda::sgd_step(stream_, group_of(parameters, gradients), step);
  } else {
    sgd_momentum_step(stream_, group_of(parameters, gradients, velocity), step);
  }
}

void CudaBackend::adamw_step(std::span<const Tensor> parameters, std::span<const Tensor> gradients,
                             std::span<const Tensor> first_moment, std::span<const Tensor> second_moment,
                             const Tensor& lr, const Tensor& step, const Tensor& gradient_scale,
                             const AdamWOptions& options) {
  check_adamw_step(*this, parameters, gradients, first_moment, second_moment, lr, step, gradient_scale, options);
  cuda::adamw_step(stream_, group_of(parameters, gradients, first_moment, second_moment),
                   {.lr = lr.data<float>(),
                    .step = step.data<std::int64_t>(),
                    .gradient_scale = gradient_scale.data<float>(),
                    .beta1 = options.beta1,
                    .beta2 = options.beta2,
                    .eps = options.eps,
                    .weight_decay = options.weight_decay});
}

void CudaBackend::clip_scale(std::span<const Tensor> gradients, double max_norm, const Tensor& scratch,
                             const Tensor& scale, const Tensor& norm) {
  check_clip_scale(*this, gradients, max_norm, scratch, scale, norm);
  check_scratch("clip_scale", *this, scratch, clip_scratch_bytes(gradients));
  cuda::clip_scale(stream_, group_of(gradients), max_norm, scratch.raw(), scale.data<float>(), norm.data<float>());
}

std::size_t CudaBackend::clip_scratch_bytes(std::span<const Tensor> gradients) {
  return cuda::clip_scratch_bytes(group_of(gradients));
}

void CudaBackend::advance(const Tensor& counter) {
  check_advance(*this, counter);
  cuda::advance(stream_, counter.data<std::int64_t>());
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
