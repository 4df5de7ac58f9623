#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

namespace graft {

/// Every kernel once more as plain loops over doubles: the contract in code and the oracle of all backend tests. Inputs
/// are widened to f64, all arithmetic is f64, and each output is rounded once, when it is stored. One thread; slow.
/// Beyond the contracts it computes in f64 and throws Error where a value breaks the contract (a label out of range).
class ReferenceBackend : public Backend {
 public:
  std::string kind() const override { return "reference"; }
  std::string device_kind() const override { return "reference"; }
  int threads() const override { return 1; }
  bool supports(DType dtype) const override { return dtype != DType::f16; }

  StoragePtr allocate(std::size_t bytes) override;
  std::size_t bytes_in_use() const override { return *bytes_in_use_; }
  /// Nothing is pooled: what is held is what is in use.
  std::size_t bytes_reserved() const override { return *bytes_in_use_; }
  void copy_from_host(const void* source, const Tensor& destination) override;
  void copy_to_host(const Tensor& source, void* destination) override;
  void synchronize() override {}

  // Every kernel of engine/backend.
#include "engine/backend/kernel_overrides.inc"

 private:
  // Shared with the storages: a tensor may outlive its backend's last use.
  std::shared_ptr<std::size_t> bytes_in_use_ = std::make_shared<std::size_t>(0);
};

/// A reference backend; the thread count is ignored.
std::unique_ptr<Backend> make_reference_backend(const BackendOptions& options);

}  // namespace graft
