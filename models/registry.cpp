#include <string>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"
#include "models/backbone.h"
#include "models/cifar_resnet.h"
#include "models/convnet6.h"
#include "models/resnet.h"

namespace graft {
namespace {

constexpr BackboneOptions kSmallGrey{.classes = 10, .in_channels = 1, .height = 28, .width = 28};
constexpr BackboneOptions kCifar{.classes = 10, .in_channels = 3, .height = 32, .width = 32};
constexpr BackboneOptions kImageNet{.classes = 1000, .in_channels = 3, .height = 224, .width = 224};

BackboneEntry cifar_resnet_entry(int depth, ShortcutOption shortcut) {
  const bool pad = shortcut == ShortcutOption::pad;
  return {.name = fmt::format("cifar_resnet{}{}", depth, pad ? "" : "_b"),
          .description = fmt::format("ResNet-{} for 32x32 images, shortcuts of option {} (He et al. 2016, 4.2)", depth,
                                     pad ? "A" : "B"),
          .defaults = kCifar,
          .make = [depth, shortcut](Backend& backend, const BackboneOptions& options) {
            return make_cifar_resnet(backend, depth, shortcut, options);
          }};
}

BackboneEntry resnet_entry(int depth, ResNetStem stem) {
  const bool imagenet = stem == ResNetStem::imagenet;
  return {.name = fmt::format("resnet{}{}", depth, imagenet ? "" : "_cifar"),
          .description = imagenet
                             ? fmt::format("ResNet-{} as in torchvision (v1.5)", depth)
                             : fmt::format("ResNet-{} with a 3x3 stem and no max pooling, for 32x32 images", depth),
          .defaults = imagenet ? kImageNet : kCifar,
          .make = [depth, stem](Backend& backend, const BackboneOptions& options) {
            return make_resnet(backend, depth, stem, options);
          }};
}

std::vector<BackboneEntry> make_entries() {
  std::vector<BackboneEntry> entries = {
      {.name = "convnet6",
       .description = "five 3x3 convolutions and a linear layer, no batch norm, for 28x28 images",
       .defaults = kSmallGrey,
       .make = make_convnet6}};
  for (const int depth : {20, 32, 44, 56, 110}) {
    entries.push_back(cifar_resnet_entry(depth, ShortcutOption::pad));
    entries.push_back(cifar_resnet_entry(depth, ShortcutOption::projection));
  }
  for (const int depth : {18, 34, 50, 101, 152}) {
    entries.push_back(resnet_entry(depth, ResNetStem::imagenet));
    entries.push_back(resnet_entry(depth, ResNetStem::small));
  }
  return entries;
}

}  // namespace

const std::vector<BackboneEntry>& backbones() {
  static const std::vector<BackboneEntry> entries = make_entries();
  return entries;
}

const BackboneEntry& find_backbone(const std::string& name) {
  std::vector<std::string> names;
  for (const BackboneEntry& entry : backbones()) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  fail(ErrorKind::usage, "model '{}' is not known; did you mean '{}'? (graft models lists them)", name,
       nearest_name(name, names));
}

std::shared_ptr<Backbone> make_backbone(const std::string& name, Backend& backend, const BackboneOptions& options) {
  const BackboneEntry& entry = find_backbone(name);
  if (options.classes < 1 || options.in_channels < 1) {
    fail(ErrorKind::usage, "model '{}' wants at least 1 class and 1 channel, not {} and {}", name, options.classes,
         options.in_channels);
  }
  return entry.make(backend, options);
}

}  // namespace graft
