#if defined(GRAFT_WITH_CUDNN) && !defined(GRAFT_CUDA_EMULATED)
#include "cuda/library/cudnn_api.h"

#include <array>

#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

CudnnApi::CudnnApi() : library_("libcudnn.so.9", "use --conv native") {
#define GRAFT_CUDNN(name) name = library_.function<decltype(::name)>(#name);
  GRAFT_CUDNN_FUNCTIONS(GRAFT_CUDNN)
#undef GRAFT_CUDNN
}

void CudnnApi::check(cudnnStatus_t status, const char* call) const {
  if (status == CUDNN_STATUS_SUCCESS) [[likely]]
    return;
  std::array<char, 512> message{};
  cudnnGetLastErrorString(message.data(), message.size());
  fail(ErrorKind::device, "[cuda] {}: {}: {}: use --conv native", call, cudnnGetErrorString(status), message.data());
}

CudnnDescriptor::CudnnDescriptor(const CudnnApi& api, cudnnBackendDescriptorType_t type) : api_(&api) {
  api.check(api.cudnnBackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor");
}

CudnnDescriptor::~CudnnDescriptor() {
  if (handle_ != nullptr) api_->cudnnBackendDestroyDescriptor(handle_);
}

bool CudnnDescriptor::finalize(bool may_fail) {
  const cudnnStatus_t status = api_->cudnnBackendFinalize(handle_);
  if (may_fail && status != CUDNN_STATUS_SUCCESS) return false;
  api_->check(status, "cudnnBackendFinalize");
  return true;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
#endif
