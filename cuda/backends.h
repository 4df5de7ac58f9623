#pragma once

#include <memory>

#include "engine/backend/registry.h"

namespace graft {

/// The CUDA backend on a GPU: in builds by nvcc (GRAFT_WITH_CUDA). Throws Error(device) where there is no usable GPU.
std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options);

/// True iff a GPU is there that make_cuda_backend can use.
bool cuda_device_present();

/// The same kernels on the emulated device: in every build but GRAFT_CUDA=OFF (GRAFT_WITH_CUDA_EMULATED).
std::unique_ptr<Backend> make_cuda_emulated_backend(const BackendOptions& options);

}  // namespace graft
