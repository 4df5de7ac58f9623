#include <functional>
#include <string>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"
#include "engine/nn/dropout.h"
#include "engine/reference/reference_backend.h"
#include "models/alexnet.h"
#include "models/backbone.h"
#include "models/caffenet.h"
#include "models/cifar_resnet.h"
#include "models/convnet6.h"
#include "models/densenet.h"
#include "models/efficientnet.h"
#include "models/mobilenet_v2.h"
#include "models/published_weights.h"
#include "models/resnet.h"
#include "models/vgg.h"

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
          .weights = {},
          .make = [depth, shortcut](Backend& backend, const BackboneOptions& options) {
            return make_cifar_resnet(backend, depth, shortcut, options);
          }};
}

BackboneEntry small_resnet_entry(int depth) {
  return {.name = fmt::format("resnet{}_cifar", depth),
          .description = fmt::format("ResNet-{} with a 3x3 stem and no max pooling, for 32x32 images", depth),
          .defaults = kCifar,
          .weights = {},
          .make = [depth](Backend& backend, const BackboneOptions& options) {
            return make_resnet(backend, {.depth = depth, .stem = ResNetStem::small}, options);
          }};
}

using Make = std::function<std::shared_ptr<Backbone>(Backend&, const BackboneOptions&)>;

BackboneEntry imagenet_entry(const std::string& name, const std::string& description, Make make,
                             const BackboneOptions& defaults = kImageNet) {
  return {.name = name,
          .description = description,
          .defaults = defaults,
          .weights = published_weights(name),
          .make = std::move(make)};
}

BackboneEntry resnet_entry(const std::string& name, const std::string& description, const ResNetConfig& config) {
  return imagenet_entry(name, description, [config](Backend& backend, const BackboneOptions& options) {
    return make_resnet(backend, config, options);
  });
}

void add_cifar(std::vector<BackboneEntry>& entries) {
  for (const int depth : {20, 32, 44, 56, 110}) {
    entries.push_back(cifar_resnet_entry(depth, ShortcutOption::pad));
    entries.push_back(cifar_resnet_entry(depth, ShortcutOption::projection));
  }
  for (const int depth : {18, 34, 50, 101, 152}) entries.push_back(small_resnet_entry(depth));
}

void add_resnets(std::vector<BackboneEntry>& entries) {
  for (const int depth : {18, 34, 50, 101, 152}) {
    entries.push_back(resnet_entry(fmt::format("resnet{}", depth),
                                   fmt::format("ResNet-{} as in torchvision (v1.5)", depth), {.depth = depth}));
  }
  struct ResNeXtRow {
    int depth, groups, group_width;
  };
  for (const auto& [depth, groups, width] : {ResNeXtRow{50, 32, 4}, ResNeXtRow{101, 32, 8}, ResNeXtRow{101, 64, 4}}) {
    entries.push_back(resnet_entry(fmt::format("resnext{}_{}x{}d", depth, groups, width),
                                   fmt::format("ResNeXt-{} of {} groups of {} channels", depth, groups, width),
                                   {.depth = depth, .groups = groups, .group_width = width}));
  }
  for (const int depth : {50, 101}) {
    entries.push_back(resnet_entry(fmt::format("wide_resnet{}_2", depth),
                                   fmt::format("ResNet-{} with bottlenecks of twice the width", depth),
                                   {.depth = depth, .group_width = 128}));
  }
}

void add_plain(std::vector<BackboneEntry>& entries) {
  entries.push_back(imagenet_entry("alexnet", "AlexNet in one column, as in torchvision", make_alexnet));
  entries.push_back(imagenet_entry("caffenet", "CaffeNet, the network of Yosinski et al. 2014", make_caffenet,
                                   {.classes = 1000, .in_channels = 3, .height = 227, .width = 227}));
  for (const int depth : {11, 13, 16, 19}) {
    for (const bool norm : {false, true}) {
      entries.push_back(imagenet_entry(fmt::format("vgg{}{}", depth, norm ? "_bn" : ""),
                                       fmt::format("VGG-{}{}", depth, norm ? " with batch norm" : ""),
                                       [depth, norm](Backend& backend, const BackboneOptions& options) {
                                         return make_vgg(backend, depth, norm, options);
                                       }));
    }
  }
}

void add_densenets(std::vector<BackboneEntry>& entries) {
  const auto make = [](int depth) {
    return [depth](Backend& backend, const BackboneOptions& options) { return make_densenet(backend, depth, options); };
  };
  for (const int depth : {121, 161, 169, 201}) {
    entries.push_back(imagenet_entry(fmt::format("densenet{}", depth),
                                     fmt::format("DenseNet-{} as in torchvision", depth), make(depth)));
  }
  BackboneOptions chest_x_ray = kImageNet;
  chest_x_ray.classes = 14;
  entries.push_back(
      imagenet_entry("chexnet", "DenseNet-121 of 14 findings that do not exclude each other", make(121), chest_x_ray));
  entries.back().multi_label = true;
}

BackboneEntry efficientnet_entry(const std::string& name, const std::string& description,
                                 const EfficientNetConfig& config) {
  const std::int64_t size = efficientnet_input_size(config);
  return imagenet_entry(name, description,
                        [config](Backend& backend, const BackboneOptions& options) {
                          return make_efficientnet(backend, config, options);
                        },
                        {.classes = 1000, .in_channels = 3, .height = size, .width = size});
}

void add_mobile(std::vector<BackboneEntry>& entries) {
  entries.push_back(imagenet_entry("mobilenet_v2", "MobileNetV2 as in torchvision", make_mobilenet_v2));
  for (int scale = 0; scale < 8; ++scale) {
    entries.push_back(efficientnet_entry(fmt::format("efficientnet_b{}", scale), fmt::format("EfficientNet-B{}", scale),
                                         {.scale = scale}));
  }
  for (int scale = 0; scale < 8; ++scale) {
    entries.push_back(efficientnet_entry(fmt::format("tf_efficientnet_b{}", scale),
                                         fmt::format("EfficientNet-B{} padded as in TensorFlow", scale),
                                         {.scale = scale, .tensorflow = true}));
  }
  for (int scale = 0; scale < 5; ++scale) {
    entries.push_back(efficientnet_entry(fmt::format("tf_efficientnet_lite{}", scale),
                                         fmt::format("EfficientNet-Lite{} padded as in TensorFlow", scale),
                                         {.scale = scale, .lite = true, .tensorflow = true}));
  }
}

std::vector<BackboneEntry> make_entries() {
  std::vector<BackboneEntry> entries = {
      {.name = "convnet6",
       .description = "five 3x3 convolutions and a linear layer, no batch norm, for 28x28 images",
       .defaults = kSmallGrey,
       .weights = {},
       .make = make_convnet6}};
  add_cifar(entries);
  add_plain(entries);
  add_resnets(entries);
  add_densenets(entries);
  add_mobile(entries);
  return entries;
}

/// The weights of NAME.TAG, those that NAME alone means, or nullptr for a NAME without any.
const PublishedWeights* weights_of(const BackboneEntry& entry, const std::string& name) {
  if (name == entry.name) return entry.weights.empty() ? nullptr : entry.weights.data();
  for (const PublishedWeights& weights : entry.weights) {
    if (name == entry.name + "." + weights.tag) return &weights;
  }
  return nullptr;
}

/// What is to be dropped at random must have a place.
void check_drops(const std::string& name, Module& network, const BackboneOptions& options) {
  bool dropout = options.dropout.value_or(0.0) == 0.0;
  bool drop_path = options.drop_path == 0.0;
  network.for_each_module([&](const std::string&, const Module& module) {
    dropout = dropout || dynamic_cast<const Dropout*>(&module) != nullptr;
    drop_path = drop_path || dynamic_cast<const DropPath*>(&module) != nullptr;
  });
  if (!dropout) fail(ErrorKind::usage, "model '{}' has no dropout layer that a rate could be given to", name);
  if (!drop_path) {
    fail(ErrorKind::usage, "model '{}' has no residual branches that stochastic depth could drop", name);
  }
}

}  // namespace

const std::vector<BackboneEntry>& backbones() {
  static const std::vector<BackboneEntry> entries = make_entries();
  return entries;
}

const BackboneEntry& find_backbone(const std::string& name) {
  const std::string architecture = name.substr(0, name.find('.'));
  std::vector<std::string> names;
  for (const BackboneEntry& entry : backbones()) {
    if (entry.name == name || (entry.name == architecture && weights_of(entry, name) != nullptr)) return entry;
    if (entry.name == architecture) {
      names.clear();
      for (const PublishedWeights& weights : entry.weights) names.push_back(entry.name + "." + weights.tag);
      names.push_back(entry.name);
      break;
    }
    names.push_back(entry.name);
  }
  fail(ErrorKind::usage, "model '{}' is not known; did you mean '{}'? (graft models lists them)", name,
       nearest_name(name, names));
}

ImageConfig image_config_of(const std::string& name) {
  const BackboneEntry& entry = find_backbone(name);
  const PublishedWeights* weights = weights_of(entry, name);
  if (weights != nullptr) return weights->image;
  return {.size = entry.defaults.height, .mean = {0.0, 0.0, 0.0}, .std = {1.0, 1.0, 1.0}, .crop_pct = 1.0};
}

std::shared_ptr<Backbone> make_backbone(const std::string& name, Backend& backend, const BackboneOptions& options) {
  const BackboneEntry& entry = find_backbone(name);
  if (options.classes < 1 || options.in_channels < 1) {
    fail(ErrorKind::usage, "model '{}' wants at least 1 class and 1 channel, not {} and {}", name, options.classes,
         options.in_channels);
  }
  auto network = entry.make(backend, options);
  check_drops(name, *network, options);
  if (options.cuts == CutPlaces::blocks) network->divide_into_blocks();
  return network;
}

std::vector<std::string> cut_names(const std::string& model, CutPlaces places) {
  BackboneOptions options = find_backbone(model).defaults;
  options.cuts = places;
  ReferenceBackend backend;
  const auto network = make_backbone(model, backend, options);
  std::vector<std::string> names;
  for (const Backbone::Stage& stage : network->stages()) names.push_back(stage.name);
  return names;
}

}  // namespace graft
