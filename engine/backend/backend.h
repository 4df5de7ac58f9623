#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/backend/conv.h"
#include "engine/backend/elementwise.h"
#include "engine/backend/gemm.h"
#include "engine/backend/loss.h"
#include "engine/backend/norm.h"
#include "engine/backend/optim.h"
#include "engine/backend/pool.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// An execution context: a device, a stream of work, a memory pool, a thread count and every kernel there is. The
/// kernels stand on the contract pages that this header includes; a backend that lacks one does not compile.
///
/// What holds for every kernel: outputs come last and are overwritten; nothing allocates tensor memory; nothing reads
/// back to the host; all tensors of a call belong to this backend; a violated contract throws Error("[operation] ...").
/// Work may be asynchronous: copy_to_host and synchronize wait for it.
///
/// A backend is used by one thread at a time. Two backends share nothing mutable.
class Backend : public ConvKernels,
                public GemmKernels,
                public NormKernels,
                public PoolKernels,
                public ElementwiseKernels,
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

  /// Copies tensor.nbytes() bytes between host memory and a tensor of this backend, and waits.
  virtual void copy_from_host(const void* source, const Tensor& destination) = 0;
  virtual void copy_to_host(const Tensor& source, void* destination) = 0;
  /// Waits for all work given so far.
  virtual void synchronize() = 0;

  /// A tensor of this backend with undefined contents.
  Tensor empty(const Shape& shape, DType dtype);
  /// A tensor of zeros.
  Tensor zeros(const Shape& shape, DType dtype);
  /// u8 scratch of `bytes` bytes; undefined for 0.
  Tensor scratch(std::size_t bytes);
};

}  // namespace graft
