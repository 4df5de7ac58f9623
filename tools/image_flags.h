#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "datasets/dataset.h"
#include "transfer/image_preparation.h"

namespace graft {

/// How image files become items: what the model was published with, unless a flag says otherwise.
struct ImageFlags : ImagePreparation {
  std::int64_t max_pixels = ImageLimits{}.max_pixels;
};
void add_image_flags(CLI::App& command, ImageFlags& flags);

/// How `dataset` is opened for `model`: image files always through the model's transform, other data sets as they are
/// unless a flag asks for a transform.
ImageOptions image_options(const std::string& model, const std::string& dataset, const ImageFlags& flags);

}  // namespace graft
