#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace graft {

/// A publisher's way to name the tensors of a family of networks, and graft's names for them.
class NameMap {
 public:
  virtual ~NameMap() = default;
  /// "torchvision", "Hugging Face", ...: for people.
  virtual std::string publisher() const = 0;
  /// graft's name of what the file calls `name`; nullopt if this way of naming has no such name.
  virtual std::optional<std::string> native(const std::string& name) const = 0;
};

/// The names as they are.
const NameMap& same_names();

/// Every way of naming that may occur for a network whose own names are `native_names`, same_names() first: among them
/// Hugging Face's ResNets (transformers), EfficientNet as lukemelas' efficientnet_pytorch and as torchvision name it,
/// DenseNet as torchvision's first files and timm's VGG.
std::vector<std::unique_ptr<NameMap>> name_maps(const std::vector<std::string>& native_names);

}  // namespace graft
