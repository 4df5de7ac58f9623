#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/backend/activation.h"
#include "engine/backend/channels.h"
#include "engine/backend/conv.h"
#include "engine/backend/elementwise.h"
#include "engine/backend/gemm.h"
#include "engine/backend/images.h"
#include "engine/backend/kernel_times.h"
#include "engine/backend/local_response_norm.h"
#include "engine/backend/loss.h"
#include "engine/backend/norm.h"
#include "engine/backend/optim.h"
#include "engine/backend/pool.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// Work that a backend has recorded: a training step as a CUDA graph. It keeps the memory that was allocated while it
/// was recorded; whatever else the work uses must outlive it, at the same addresses.
class CapturedWork {
 public:
  CapturedWork() = default;
  CapturedWork(const CapturedWork&) = delete;
  CapturedWork& operator=(const CapturedWork&) = delete;
  virtual ~CapturedWork() = default;

  /// Does all kernels of the work once more, in their order, with the same bits as calling them. What the host did
  /// beside calling kernels is not done again.
  virtual void replay() = 0;
};

/// An execution context: a device, a stream of work, a memory pool, a thread count and every kernel there is. The
/// kernels stand on the contract pages that this header includes; a backend that lacks one does not build.
///
/// What holds for every kernel: outputs come last and are overwritten; nothing allocates tensor memory; nothing reads
/// back to the host; all tensors of a call belong to this backend; a violated contract throws Error("[operation] ...").
/// Work may be asynchronous: copy_to_host and synchronize wait for it.
///
/// A backend is used by one thread at a time. Two backends share nothing mutable.
class Backend : public ConvKernels,
                public GemmKernels,
                public NormKernels,
                public LocalResponseNormKernels,
                public PoolKernels,
                public ElementwiseKernels,
                public ActivationKernels,
                public ChannelKernels,
                public ImageKernels,
                public LossKernels,
                public OptimKernels {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend() override = default;

  /// The registry's name for this kind: "reference", "cpu", ...
  virtual std::string kind() const = 0;
  /// What the bits of a result depend on beside thread count and library versions: "cpu:avx512_bf16", ...
  virtual std::string device_kind() const = 0;
  virtual int threads() const = 0;
  /// True iff tensors of this dtype can be computed with here.
  virtual bool supports(DType dtype) const = 0;

  /// Memory for `bytes` bytes, aligned to 64, contents undefined, from the pool. Throws Error(device) when there is
  /// none.
  virtual StoragePtr allocate(std::size_t bytes) = 0;
  /// Bytes that live tensors hold, and bytes that the pool holds from the system.
  virtual std::size_t bytes_in_use() const = 0;
  virtual std::size_t bytes_reserved() const = 0;

  /// Copies tensor.nbytes() bytes between host memory and a tensor of this backend. From the host: `source` may be
  /// written to or freed afterwards, but the copy may still be on its way. To the host: waits.
  virtual void copy_from_host(const void* source, const Tensor& destination) = 0;
  virtual void copy_to_host(const Tensor& source, void* destination) = 0;
  /// Waits for all work given so far.
  virtual void synchronize() = 0;

  /// True iff capture() can be called.
  virtual bool can_capture() const { return false; }
  /// Calls `work` and records the kernels that it calls instead of running them. `work` must not copy from or to the
  /// host or wait. Throws whatever `work` throws, and then nothing is recorded; Error(failure) if !can_capture().
  virtual std::unique_ptr<CapturedWork> capture(const std::function<void()>& work);

  /// Calls `work` and says what each kernel in it took, the longest first. On CUDA a kernel is a launch, a copy or a
  /// library's call, timed on the device by events around it; on the CPU one of the kernels above, from its call to the
  /// next one's, the host's work between them with it. Slower than calling `work`, which must not capture. Throws
  /// whatever `work` throws, and Error(usage) where the backend does not time its kernels.
  virtual std::vector<KernelTime> time_kernels(const std::function<void()>& work);

  /// What "auto" options have chosen so far, by shape: for the record, and for BackendOptions::choices of a rerun.
  virtual std::map<std::string, std::string> choices() const { return {}; }

  /// A tensor of this backend with undefined contents.
  Tensor empty(const Shape& shape, DType dtype);
  /// A tensor of zeros.
  Tensor zeros(const Shape& shape, DType dtype);
  /// u8 scratch of `bytes` bytes; undefined for 0.
  Tensor scratch(std::size_t bytes);
};

}  // namespace graft
