#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/base/dtype.h"

namespace graft {

/// An element type of PyTorch.
struct TorchDType {
  std::string_view name;     ///< "float32"
  std::string_view storage;  ///< the class of its storages, "FloatStorage"; empty where there is none
  std::uint64_t bytes = 0;
  std::optional<DType> known;
};

/// The type of a storage class, or nullptr.
const TorchDType* torch_dtype_of_storage(std::string_view class_name);
/// The type named so, or nullptr.
const TorchDType* torch_dtype_named(std::string_view name);

}  // namespace graft
