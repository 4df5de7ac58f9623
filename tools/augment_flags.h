#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datasets/loader.h"

namespace graft {

/// What happens to training images, under timm's names.
struct AugmentFlags {
  std::vector<double> scale;        ///< least and greatest share of the area; empty: by default
  std::vector<double> ratio;        ///< least and greatest width over height; empty: by default
  std::string train_interpolation;  ///< of the random crop; empty: "random"
  std::optional<double> hflip;      ///< probability; unset: by default
  std::int64_t crop_padding = 0;
  bool none = false;
};
void add_augment_flags(CLI::App& command, AugmentFlags& flags);

/// timm's augmentation for images that go through a model's transform (`transformed`): a random part of .08 to 1 of the
/// area and of ratio 3/4 to 4/3, resized by bilinear or bicubic interpolation at random, mirrored in one case of two.
/// --crop-padding stands in place of the random part; images that are taken as they are get what is asked for alone.
/// Throws Error(usage) for numbers out of range and for --no-aug beside others.
AugmentOptions augment_options(const AugmentFlags& flags, bool transformed);

/// The flags that would ask for `options`, by name: what args.yaml records.
std::map<std::string, std::string> augment_arguments(const AugmentOptions& options, const AugmentFlags& flags);

}  // namespace graft
