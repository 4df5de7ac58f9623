#include "cuda/backend/cuda_backend.h"

#include "cuda/backends.h"
#include "cuda/library/build.h"
#include "cuda/runtime/kernel_timer.h"
#include "engine/backend/contract.h"
#include "engine/base/error.h"
#ifdef GRAFT_CUDA_EMULATED
#include "cuda/emulator/memory_check.h"
#endif

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// Options that this build or device does not have are the caller's mistake, whatever the machine.
BackendOptions checked(const BackendOptions& options) {
  const auto known = [](const char* flag, const std::string& value, const char* library) {
    if (value == "native" || value == "auto" || value == library) return;
    fail(ErrorKind::usage, "{} {}: give native, {} or auto", flag, value, library);
  };
  known("--conv", options.conv, "cudnn");
  known("--gemm", options.gemm, "cublas");
  if (options.conv == "cudnn" && !kWithCudnn)
    fail(ErrorKind::usage, "--conv cudnn: this {} is without cuDNN; use --conv native", kWhere);
  if (options.gemm == "cublas" && !kWithCublas)
    fail(ErrorKind::usage, "--gemm cublas: this {} is without cuBLAS; use --gemm native", kWhere);
  return options;
}

}  // namespace

CudaBackend::CudaBackend(const BackendOptions& options)
    : options_(checked(options)),
      stream_(open_device(0)),
      pool_(MemoryPool::create(stream_.device())),
      own_memory_(MemoryPool::create(stream_.device())),
      workspace_(own_memory_->allocate(kWorkspaceBytes)),
      uploader_(stream_, *own_memory_),
      chooser_(options.choices) {
  open_libraries();
}

CudaBackend::~CudaBackend() = default;

std::string CudaBackend::kind() const {
#ifdef GRAFT_CUDA_EMULATED
  return "cuda-emulated";
#else
  return "cuda";
#endif
}

std::string CudaBackend::device_kind() const {
  std::string text = kind() + ":" + stream_.device().name;
  if (options_.conv != "native") text += " conv=" + options_.conv;
  if (options_.gemm != "native") text += " gemm=" + options_.gemm;
  if (options_.tf32) text += " tf32";
  return text;
}

StoragePtr CudaBackend::allocate(std::size_t bytes) {
  return capture_pool_ != nullptr ? capture_pool_->allocate(bytes) : pool_->allocate(bytes);
}
std::size_t CudaBackend::bytes_in_use() const { return pool_->statistics().in_use; }
std::size_t CudaBackend::bytes_reserved() const {
  return pool_->statistics().reserved + own_memory_->statistics().reserved;
}

void CudaBackend::copy_from_host(const void* source, const Tensor& destination) {
  check_host_copy("copy_from_host", *this, destination, source);
  check(capture_pool_ == nullptr, "[copy_from_host] a copy from the host cannot be recorded: make it before");
  uploader_.copy(source, destination.raw(), destination.nbytes());
}

void CudaBackend::copy_to_host(const Tensor& source, void* destination) {
  check_host_copy("copy_to_host", *this, source, destination);
  stream_.copy(source.raw(), destination, source.nbytes());
  stream_.synchronize();
}

void CudaBackend::synchronize() { stream_.synchronize(); }

std::vector<KernelTime> CudaBackend::time_kernels(const std::function<void()>& work) {
  check(capture_pool_ == nullptr, "[time_kernels] work is being recorded: its kernels do not run");
  const KernelTimer timer(stream_);
  work();
  return timer.times();
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM

namespace graft {

#ifdef GRAFT_CUDA_EMULATED
std::string cuda_emulator_build() {
  const std::string checks = cuda::emulator::checks_of_this_build();
  return checks.substr(0, checks.find(':'));
}

std::unique_ptr<Backend> make_cuda_emulated_backend(const BackendOptions& options) {
  return std::make_unique<cuda::CudaBackend>(options);
}
#else
bool cuda_device_present() {
  try {
    cuda::open_device(0);
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options) {
  return std::make_unique<cuda::CudaBackend>(options);
}
#endif

}  // namespace graft
