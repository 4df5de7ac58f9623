#include "engine/io/torch_tensor.h"

#include <algorithm>
#include <cstring>

#include "engine/io/extents.h"
#include "engine/io/format_fault.h"
#include "engine/io/strided_copy.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

constexpr int kMaxWrappers = 8;  // Parameter of subclass of tensor ...

TorchTensor with_problem(std::string problem) {
  TorchTensor tensor;
  tensor.problem = std::move(problem);
  return tensor;
}

/// One past the last element that the tensor touches, counted from the storage's start.
std::uint64_t elements_end(const TorchTensor& tensor) {
  std::uint64_t end = tensor.offset;
  bool fits = true;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (tensor.shape[i] == 0) return tensor.offset;
    std::uint64_t reach = 0;
    fits = fits && !__builtin_mul_overflow(static_cast<std::uint64_t>(tensor.shape[i] - 1),
                                           static_cast<std::uint64_t>(tensor.strides[i]), &reach);
    fits = fits && !__builtin_add_overflow(end, reach, &end);
  }
  fits = fits && !__builtin_add_overflow(end, std::uint64_t{1}, &end);
  if (!fits) damaged("a tensor's strides overflow");
  return end;
}

std::int64_t integer_of(const PickleNode& node, const char* what) {
  if (!node.is(Kind::integer)) damaged("a tensor's {} is no whole number", what);
  return node.integer;
}

std::vector<std::int64_t> integers_of(const PickleNode& node, const char* what) {
  if (!node.is(Kind::list)) damaged("a tensor's {} is no list of numbers", what);
  if (node.items.size() > kMaxTorchRank) damaged("a tensor has {} dimensions", node.items.size());
  std::vector<std::int64_t> values;
  for (const PickleNode* item : node.items) values.push_back(integer_of(*item, what));
  return values;
}

/// What a value that should have been a storage or a tensor is.
std::string dependence(const PickleNode& node) {
  const PickleNode* global = node.is(Kind::call) ? node.callee : &node;
  if (!global->is(Kind::global)) return "it is made of a value that is no storage";
  return "it depends on " + global_name(*global) + ", which graft does not know; save a plain state_dict";
}

/// _rebuild_tensor(storage, offset, size, stride); _v2 adds (requires_grad, hooks[, metadata]), _v3 a dtype before it.
TorchTensor rebuild(const std::vector<const PickleNode*>& arguments, int version, const TorchResolver& resolve) {
  const std::size_t least = version == 1 ? 4 : version == 2 ? 6 : 7;
  if (arguments.size() < least) damaged("a tensor is described by {} values", arguments.size());
  if (!arguments[0]->is(Kind::persistent)) return with_problem(dependence(*arguments[0]));
  const TorchPersistent persistent = resolve(*arguments[0]->arguments);
  const auto* storage = std::get_if<TorchStorage>(&persistent);
  if (storage == nullptr) damaged("a tensor's storage is none");
  const TorchDType* dtype = storage->dtype;
  if (version == 3) {
    const PickleNode& named = *arguments[6];
    dtype = named.is(Kind::global) && named.text == "torch" ? torch_dtype_named(named.name) : nullptr;
    if (dtype == nullptr) return with_problem("it has a dtype that graft does not know; save it as float32");
  }
  const std::size_t metadata = version == 3 ? 7 : 6;
  if (arguments.size() > metadata && !arguments[metadata]->items.empty()) {
    return with_problem("it is a conjugate or negative view; save it resolved");
  }
  return make_torch_tensor(*storage, *dtype, integer_of(*arguments[1], "storage offset"),
                           integers_of(*arguments[2], "size"), integers_of(*arguments[3], "stride"));
}

int rebuild_version(const PickleNode& global) {
  if (global.is_global("torch._utils", "_rebuild_tensor")) return 1;
  if (global.is_global("torch._utils", "_rebuild_tensor_v2")) return 2;
  if (global.is_global("torch._utils", "_rebuild_tensor_v3")) return 3;
  return 0;
}

bool is_parameter(const PickleNode& global) {
  return global.is_global("torch._utils", "_rebuild_parameter") ||
         global.is_global("torch._utils", "_rebuild_parameter_with_state") ||
         global.is_global("torch.nn.parameter", "Parameter");
}

bool is_subclass(const PickleNode& global) { return global.is_global("torch._tensor", "_rebuild_from_type_v2"); }

bool is_unread_kind(const PickleNode& global) {
  return global.is(Kind::global) && global.text == "torch._utils" && global.name.starts_with("_rebuild_");
}

struct Call {
  const PickleNode* callee;
  const std::vector<const PickleNode*>* arguments;
};

/// The innermost rebuilding call of a parameter or of a tensor subclass.
Call unwrapped(const PickleNode& node) {
  const PickleNode* current = &node;
  Call call{node.callee, &node.arguments->items};
  for (int i = 0; i < kMaxWrappers; ++i) {
    if (is_parameter(*call.callee) && !call.arguments->empty() && (*call.arguments)[0]->is(Kind::call)) {
      current = (*call.arguments)[0];
      call = {current->callee, &current->arguments->items};
    } else if (is_subclass(*call.callee) && call.arguments->size() >= 3 && (*call.arguments)[2]->is(Kind::list)) {
      call = {(*call.arguments)[0], &(*call.arguments)[2]->items};
    } else {
      return call;
    }
  }
  damaged("a tensor is wrapped too often");
}

/// True for a persistent id of a storage or tensor; a pickled module's class has one too.
bool is_data(const PickleNode& id) {
  return !id.is(Kind::list) || (!id.items.empty() && id.items[0]->text == "storage");
}

}  // namespace

bool TorchTensor::is_contiguous() const {
  if (nbytes == 0) return true;
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

TorchTensor make_torch_tensor(const TorchStorage& storage, const TorchDType& dtype, std::int64_t offset,
                              std::vector<std::int64_t> shape, std::vector<std::int64_t> strides) {
  if (strides.size() != shape.size()) damaged("a tensor has {} sizes and {} strides", shape.size(), strides.size());
  if (offset < 0) damaged("a tensor starts {} elements before its storage", -offset);
  if (std::any_of(strides.begin(), strides.end(), [](std::int64_t stride) { return stride < 0; })) {
    damaged("a tensor has a negative stride");
  }
  TorchTensor tensor{.storage = storage,
                     .dtype = &dtype,
                     .offset = static_cast<std::uint64_t>(offset),
                     .shape = std::move(shape),
                     .strides = std::move(strides),
                     .nbytes = 0,
                     .problem = {}};
  tensor.nbytes = dense_bytes(tensor.shape, dtype.bytes, "a tensor");
  const std::uint64_t present = storage.nbytes / dtype.bytes;
  const std::uint64_t end = elements_end(tensor);
  if (tensor.nbytes != 0 && end > present) {
    damaged("a tensor reaches to element {} of a storage of {}", end, present);
  }
  if (tensor.nbytes > storage.nbytes) {
    tensor.nbytes = 0;
    tensor.problem = "it repeats the elements of a smaller storage; save it made contiguous";
  }
  return tensor;
}

bool is_torch_tensor(const PickleNode& node) {
  if (node.is(Kind::persistent)) return is_data(*node.arguments);
  if (!node.is(Kind::call) || !node.arguments->is(Kind::list)) return false;
  return is_parameter(*node.callee) || is_subclass(*node.callee) || is_unread_kind(*node.callee);
}

TorchTensor read_torch_tensor(const PickleNode& node, const TorchResolver& resolve) {
  if (node.is(Kind::persistent)) {
    TorchPersistent persistent = resolve(*node.arguments);
    if (auto* tensor = std::get_if<TorchTensor>(&persistent)) return *tensor;
    return with_problem("it is a bare storage; save a tensor");
  }
  const Call call = unwrapped(node);
  const int version = rebuild_version(*call.callee);
  if (version != 0) return rebuild(*call.arguments, version, resolve);
  if (is_unread_kind(*call.callee)) {
    return with_problem("it was made by " + global_name(*call.callee) + ", which graft does not read; save it dense");
  }
  return with_problem(dependence(*call.callee));
}

void copy_torch_tensor(const TorchTensor& tensor, std::span<const std::byte> storage,
                       std::span<std::byte> destination) {
  if (destination.empty()) return;
  const auto first = storage.subspan(static_cast<std::size_t>(tensor.offset * tensor.dtype->bytes));
  if (tensor.is_contiguous()) {
    std::memcpy(destination.data(), first.data(), destination.size());
  } else {
    copy_strided(first, tensor.dtype->bytes, tensor.shape, tensor.strides, destination);
  }
}

}  // namespace graft
