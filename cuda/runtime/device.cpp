#include "cuda/runtime/device.h"

#include "cuda/runtime/check.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kLowestArchitecture = 80;  // cp.async and bf16 tensor cores begin there

std::string version_text(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

void require_driver() {
  int driver = 0;
  int runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check_cuda(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  if (driver == 0) {
    fail(ErrorKind::device,
         "[cuda] there is no NVIDIA driver on this machine: install one, or use --device cpu or cuda-emulated");
  }
  // Within one major version an older driver serves a newer runtime.
  if (driver / 1000 < runtime / 1000) {
    fail(ErrorKind::device,
         "[cuda] the driver is for CUDA {}, this program for {}: update the driver, or use --device cpu",
         version_text(driver), version_text(runtime));
  }
}

}  // namespace

Device open_device(int index) {
  require_driver();
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
    fail(ErrorKind::device, "[cuda] the driver finds no GPU on this machine: use --device cpu or cuda-emulated");
  check_cuda(error, "cudaGetDeviceCount");
  if (index < 0 || index >= count)
    fail(ErrorKind::device, "[cuda] there is no device {}: this machine has {}, counted from 0", index, count);
  check_cuda(cudaSetDevice(index), "cudaSetDevice");
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  const int architecture = properties.major * 10 + properties.minor;
  if (architecture < kLowestArchitecture) {
    fail(ErrorKind::device, "[cuda] {} has compute capability {}.{}, 8.0 is the least that is needed: use --device cpu",
         properties.name, properties.major, properties.minor);
  }
  return {.index = index,
          .name = properties.name,
          .architecture = architecture,
          .multiprocessors = properties.multiProcessorCount,
          .memory = properties.totalGlobalMem,
          .shared_bytes_a_block = properties.sharedMemPerBlockOptin,
          .l2_bytes = static_cast<std::size_t>(properties.l2CacheSize)};
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
