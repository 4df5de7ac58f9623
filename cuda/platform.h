#pragma once

// Everything below cuda/ is compiled once for each platform: by nvcc for a GPU, and by the host's compiler, with
// GRAFT_CUDA_EMULATED defined, against cuda/emulator. The two live in inline namespaces of their own, so that one
// program can hold both. No file includes a header of CUDA itself but through this one and cuda/device.cuh.
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/emulator/device_api.h"
#define GRAFT_CUDA_PLATFORM emulated
#else
#include <cuda_runtime_api.h>
#define GRAFT_CUDA_PLATFORM gpu
#endif
