#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "engine/io/pickle.h"
#include "engine/io/torch_dtype.h"

namespace graft {

constexpr std::size_t kMaxTorchRank = 64;  ///< PyTorch's own limit

/// A storage of a PyTorch file, or a part of one.
struct TorchStorage {
  std::size_t source = 0;   ///< which run of bytes of the file
  std::uint64_t begin = 0;  ///< byte offset in it
  std::uint64_t nbytes = 0;
  const TorchDType* dtype = nullptr;
};

/// A strided tensor over a storage: what torch._utils._rebuild_tensor and its kin are called with.
struct TorchTensor {
  TorchStorage storage;
  const TorchDType* dtype = nullptr;
  std::uint64_t offset = 0;  ///< in elements
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< in elements
  std::uint64_t nbytes = 0;           ///< of the elements, row-major
  std::string problem;                ///< why it cannot be read, or empty

  /// True iff the elements lie row-major and without gaps.
  bool is_contiguous() const;
};

/// What a persistent id stands for: a storage, or in the old tar form a tensor. Throws FormatFault for an id that
/// stands for nothing.
using TorchPersistent = std::variant<std::monostate, TorchStorage, TorchTensor>;
using TorchResolver = std::function<TorchPersistent(const PickleNode& id)>;

/// The tensor over `storage`, with every element proven to lie within it: else a FormatFault. One that has more
/// elements than the storage holds, each several times, gets a problem instead: its size is limited by nothing in the
/// file.
TorchTensor make_torch_tensor(const TorchStorage& storage, const TorchDType& dtype, std::int64_t offset,
                              std::vector<std::int64_t> shape, std::vector<std::int64_t> strides);

/// True iff the node is a tensor as PyTorch pickles one: a call of one of its rebuilding functions, which none of its
/// arguments may make do anything else, or a persistent id of a tensor.
bool is_torch_tensor(const PickleNode& node);

/// The tensor that such a node describes; with a problem where it depends on an opaque global or is of a kind that
/// graft does not read (sparse, quantised).
TorchTensor read_torch_tensor(const PickleNode& node, const TorchResolver& resolve);

/// Copies the elements out of the storage's bytes, row-major.
void copy_torch_tensor(const TorchTensor& tensor, std::span<const std::byte> storage, std::span<std::byte> destination);

}  // namespace graft
