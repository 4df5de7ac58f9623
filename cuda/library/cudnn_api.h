#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cuda/library/shared_library.h"

/// All functions of cuDNN that are used here: GRAFT_CUDNN_FUNCTIONS(F) is F(name) for each.
#define GRAFT_CUDNN_FUNCTIONS(F)   \
  F(cudnnGetVersion)               \
  F(cudnnGetErrorString)           \
  F(cudnnGetLastErrorString)       \
  F(cudnnCreate)                   \
  F(cudnnDestroy)                  \
  F(cudnnSetStream)                \
  F(cudnnBackendCreateDescriptor)  \
  F(cudnnBackendDestroyDescriptor) \
  F(cudnnBackendSetAttribute)      \
  F(cudnnBackendGetAttribute)      \
  F(cudnnBackendFinalize)          \
  F(cudnnBackendExecute)

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// The functions of cuDNN 9's graph API that are used here, from the library opened while the program runs.
class CudnnApi {
 public:
  CudnnApi();

  // NOLINTBEGIN(readability-identifier-naming,bugprone-macro-parentheses): cuDNN's names, declared.
#define GRAFT_CUDNN(name) decltype(::name)* name;
  GRAFT_CUDNN_FUNCTIONS(GRAFT_CUDNN)
#undef GRAFT_CUDNN
  // NOLINTEND(readability-identifier-naming,bugprone-macro-parentheses)

  /// Throws Error(device) with cuDNN's words.
  void check(cudnnStatus_t status, const char* call) const;

 private:
  SharedLibrary library_;
};

/// One of cuDNN's descriptors: attributes are set, then it is finalised.
class CudnnDescriptor {
 public:
  CudnnDescriptor(const CudnnApi& api, cudnnBackendDescriptorType_t type);
  ~CudnnDescriptor();
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  CudnnDescriptor& operator=(CudnnDescriptor&&) = delete;

  cudnnBackendDescriptor_t handle() const { return handle_; }

  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::span<const T> values) {
    api_->check(
        api_->cudnnBackendSetAttribute(handle_, name, type, static_cast<std::int64_t>(values.size()), values.data()),
        "cudnnBackendSetAttribute");
    return *this;
  }
  template <class T>
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    return set(name, type, std::span<const T>(&value, 1));
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const std::vector<std::int64_t>& values) {
    return set(name, CUDNN_TYPE_INT64, std::span<const std::int64_t>(values));
  }
  CudnnDescriptor& set(cudnnBackendAttributeName_t name, const CudnnDescriptor& part) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, part.handle_);
  }
  /// False, where `may_fail` is set, if cuDNN has no such thing.
  bool finalize(bool may_fail = false);

  /// At most `values.size()` elements; returns how many there are.
  template <class T>
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::span<T> values) const {
    std::int64_t count = 0;
    api_->check(api_->cudnnBackendGetAttribute(handle_, name, type, static_cast<std::int64_t>(values.size()), &count,
                                               values.data()),
                "cudnnBackendGetAttribute");
    return count;
  }

 private:
  const CudnnApi* api_;
  cudnnBackendDescriptor_t handle_ = nullptr;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
