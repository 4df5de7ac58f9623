#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace graft {

/// How image files become items: what the model was published with, unless a flag says otherwise.
struct ImageFlags {
  std::int64_t img_size = 0;      ///< 0: the model's
  double crop_pct = 0.0;          ///< 0: the model's
  std::string interpolation;      ///< empty: the model's
  std::vector<double> mean;       ///< empty: the model's
  std::vector<double> deviation;  ///< empty: the model's
  std::int64_t max_pixels = ImageLimits{}.max_pixels;
};
void add_image_flags(CLI::App& command, ImageFlags& flags);

/// The transform for `model`, a name of graft models with or without a tag.
ImageTransform image_transform(const std::string& model, const ImageFlags& flags);

/// How `dataset` is opened for `model`: image files always through the model's transform, other data sets as they are
/// unless a flag asks for a transform.
ImageOptions image_options(const std::string& model, const std::string& dataset, const ImageFlags& flags);

}  // namespace graft
