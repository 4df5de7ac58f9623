#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/backend/registry.h"

namespace graft {

/// The CUDA backend on a GPU: in builds by nvcc (GRAFT_WITH_CUDA). Throws Error(device) where there is no usable GPU.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options);

/// True iff a GPU is there that make_cuda_backend can use.
bool cuda_device_present();

/// What the build by nvcc is without, for `graft devices`: "without cuDNN", or "" if it has everything.
std::string cuda_build_lacks();

/// CUDA's and its libraries' versions in this build, for records.
std::map<std::string, std::string> cuda_library_versions();

/// The same kernels on the emulated device: in every build but GRAFT_CUDA=OFF (GRAFT_WITH_CUDA_EMULATED).
std::unique_ptr<Backend> make_cuda_emulated_backend(const BackendOptions& options);

/// Which of the emulator's builds this is, for `graft devices`: "plain build", "checked build", "sanitized build".
/// docs/emulator.md says what each checks and what it does not.
std::string cuda_emulator_build();

}  // namespace graft
