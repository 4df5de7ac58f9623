#include "engine/cpu/cpu_backend.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <dnnl.hpp>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/channel_panel.h"
#include "engine/cpu/kernel_clock.h"
#include "engine/cpu/memory_pool.h"
#include "engine/cpu/onednn_context.h"

namespace graft {

namespace {

/// True iff oneDNN may use all instructions of `level`: what the processor has, less what DNNL_MAX_CPU_ISA forbids.
bool has_instructions(dnnl::cpu_isa level) {
  const auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(level);
  return (effective & wanted) == wanted;
}

int usable_cores() {
  cpu_set_t affinity;
  CPU_ZERO(&affinity);
  // More processors than the set has room for: then OpenMP's own count is the best there is.
  if (sched_getaffinity(0, sizeof affinity, &affinity) != 0) return omp_get_num_procs();
  return CPU_COUNT(&affinity);
}

int thread_count(const BackendOptions& options) {
  if (options.threads < 0) fail(ErrorKind::usage, "--threads {}: give 1 or more, or 0 for all cores", options.threads);
  return options.threads == 0 ? usable_cores() : options.threads;
}

void require_avx2() {
  // The binary itself is compiled for AVX2; oneDNN below it would compute f32 by other rules.
  if (!has_instructions(dnnl::cpu_isa::avx2)) {
    fail(ErrorKind::device,
         "[cpu] this processor, or DNNL_MAX_CPU_ISA, has no AVX2, which is the least that is needed");
  }
}

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(const BackendOptions& options) {
  return std::make_unique<CpuBackend>(options);
}

CpuBackend::CpuBackend(const BackendOptions& options)
    : threads_((require_avx2(), thread_count(options))),
      pool_(MemoryPool::create()),
      onednn_(std::make_unique<OnednnContext>()),
      partial_sums_(static_cast<std::size_t>(threads_) * ChannelPanel::kMaxChannels) {}

CpuBackend::~CpuBackend() = default;

std::string CpuBackend::device_kind() const {
  if (has_instructions(dnnl::cpu_isa::avx512_core_amx)) return "cpu:avx512_amx";
  if (has_instructions(dnnl::cpu_isa::avx512_core_bf16)) return "cpu:avx512_bf16";
  if (has_instructions(dnnl::cpu_isa::avx512_core)) return "cpu:avx512";
  return "cpu:avx2";
}

bool CpuBackend::supports(DType dtype) const {
  // oneDNN has bf16 from AVX-512 on, first by conversion to f32, natively with avx512_core_bf16.
  return dtype == DType::f32 || (dtype == DType::bf16 && has_instructions(dnnl::cpu_isa::avx512_core));
}

void CpuBackend::enter(const char* kernel) {
  if (omp_get_max_threads() != threads_) omp_set_num_threads(threads_);
  if (clock_ != nullptr) clock_->enter(kernel);
}

std::vector<KernelTime> CpuBackend::time_kernels(const std::function<void()>& work) {
  check(clock_ == nullptr, "[time_kernels] kernels are being timed already");
  KernelClock clock;
  struct Scope {
    explicit Scope(KernelClock*& slot, KernelClock* clock) : slot_(slot) { slot_ = clock; }
    ~Scope() { slot_ = nullptr; }
    KernelClock*& slot_;
  } const scope(clock_, &clock);
  work();
  return clock.times();
}

StoragePtr CpuBackend::allocate(std::size_t bytes) { return pool_->allocate(bytes); }
std::size_t CpuBackend::bytes_in_use() const { return pool_->bytes_in_use(); }
std::size_t CpuBackend::bytes_reserved() const { return pool_->bytes_reserved(); }

namespace {

void copy_bytes(const void* source, void* target, std::size_t bytes) {
  constexpr std::int64_t kGrain = 1 << 16;
  parallel_for(static_cast<std::int64_t>(bytes), kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(static_cast<std::byte*>(target) + begin, static_cast<const std::byte*>(source) + begin,
                static_cast<std::size_t>(end - begin));
  });
}

}  // namespace

void CpuBackend::copy_from_host(const void* source, const Tensor& destination) {
  check_host_copy("copy_from_host", *this, destination, source);
  enter();
  copy_bytes(source, destination.raw(), destination.nbytes());
}

void CpuBackend::copy_to_host(const Tensor& source, void* destination) {
  check_host_copy("copy_to_host", *this, source, destination);
  enter();
  copy_bytes(source.raw(), destination, source.nbytes());
}

void CpuBackend::copy(const Tensor& x, const Tensor& y) {
  check_copy(*this, x, y);
  enter();
  copy_bytes(x.raw(), y.raw(), x.nbytes());
}

}  // namespace graft
