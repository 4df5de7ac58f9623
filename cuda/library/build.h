#pragma once

#include "cuda/platform.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

// What this build can call beside its own kernels. cuBLAS and cuDNN are compiled against where their headers are
// found and opened when they are first asked for, so a program starts without them.
#if defined(GRAFT_WITH_CUBLAS) && !defined(GRAFT_CUDA_EMULATED)
inline constexpr bool kWithCublas = true;
#else
inline constexpr bool kWithCublas = false;
#endif
#if defined(GRAFT_WITH_CUDNN) && !defined(GRAFT_CUDA_EMULATED)
inline constexpr bool kWithCudnn = true;
#else
inline constexpr bool kWithCudnn = false;
#endif

/// What lacks them, in errors.
#ifdef GRAFT_CUDA_EMULATED
inline constexpr const char* kWhere = "emulated device";
#else
inline constexpr const char* kWhere = "build";
#endif

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
