#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft {

class KernelClock;
class MemoryPool;
class OnednnContext;

/// The CPU backend: oneDNN for convolutions and matrix products, graft's own loops for what is bound by memory.
///
/// Its tensors may be released after it and in another thread. Another backend's thread may read them only as immutable
/// storage.
class CpuBackend final : public Backend {
 public:
  /// Throws Error(device) on a processor below AVX2 and Error(usage) for a negative thread count.
  explicit CpuBackend(const BackendOptions& options);
  ~CpuBackend() override;

  std::string kind() const override { return "cpu"; }
  std::string device_kind() const override;
  int threads() const override { return threads_; }
  bool supports(DType dtype) const override;
  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override;
  std::size_t bytes_reserved() const override;
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override {}
  std::vector<KernelTime> time_kernels(const std::function<void()>& work) override;

  /// Sets OpenMP's thread count of the calling thread to that of this backend. Every kernel that may run in parallel
  /// calls it first, since OpenMP keeps the count per thread and bits depend on it. `kernel` is the calling function's
  /// name.
  void enter(const char* kernel = __builtin_FUNCTION());
  OnednnContext& onednn() { return *onednn_; }

  // Every kernel of engine/backend.
#include "engine/backend/kernel_overrides.inc"

 private:
  int threads_;
  std::shared_ptr<MemoryPool> pool_;
  std::unique_ptr<OnednnContext> onednn_;
  KernelClock* clock_ = nullptr;      ///< while kernels are timed
  std::vector<double> partial_sums_;  ///< [threads, 2048], for reductions whose contracts have no scratch
};

/// A CpuBackend; what the registry's entry "cpu" makes.
std::unique_ptr<Backend> make_cpu_backend(const BackendOptions& options);

}  // namespace graft
