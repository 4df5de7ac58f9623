#include "cuda/runtime/check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// CUDA's documentation: "This leaves the process in an inconsistent state and any further CUDA work will return the
/// same error. To continue using CUDA, the process must be terminated and relaunched."
bool leaves_device_unusable(cudaError_t error) {
  constexpr std::array kErrors = {
      214,  // cudaErrorECCUncorrectable
      226,  // cudaErrorContained
      700,  // cudaErrorIllegalAddress
      702,  // cudaErrorLaunchTimeout
      710,  // cudaErrorAssert
      714,  // cudaErrorHardwareStackError
      715,  // cudaErrorIllegalInstruction
      716,  // cudaErrorMisalignedAddress
      717,  // cudaErrorInvalidAddressSpace
      718,  // cudaErrorInvalidPc
      719,  // cudaErrorLaunchFailure
      911,  // cudaErrorExternalDevice
  };
  return std::find(kErrors.begin(), kErrors.end(), static_cast<int>(error)) != kErrors.end();
}

/// What the caller can do about it.
const char* remedy_of(cudaError_t error) {
  if (leaves_device_unusable(error)) return ": this process can no longer use the device; start it again";
  if (error == cudaErrorNoKernelImageForDevice)
    return ": this program has no code for this GPU; build it with GRAFT_CUDA_ARCHITECTURES=native";
  return "";
}

}  // namespace

void check_cuda(cudaError_t error, const char* what, const char* file, int line) {
  if (error == cudaSuccess) [[likely]]
    return;
  std::string_view name = file;
  name.remove_prefix(name.rfind('/') + 1);  // 0 where there is no slash
  fail(ErrorKind::device, "[cuda] {}: {} ({}, at {}:{}){}", what, cudaGetErrorString(error), cudaGetErrorName(error),
       name, line, remedy_of(error));
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
