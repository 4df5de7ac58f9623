#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/image_transform.h"

namespace graft {

/// What to change in how a model's images are prepared: nothing, unless set.
struct ImagePreparation {
  std::int64_t size = 0;          ///< height and width of the network's input; 0: the model's
  double crop_pct = 0.0;          ///< share of the shorter side that the centre crop takes; 0: the model's
  std::string interpolation;      ///< "bilinear", "bicubic"; empty: the model's
  std::vector<double> mean;       ///< a channel, of values in [0, 1]; empty: the model's
  std::vector<double> deviation;  ///< a channel; empty: the model's

  bool changes_anything() const {
    return size > 0 || crop_pct > 0.0 || !interpolation.empty() || !mean.empty() || !deviation.empty();
  }
  bool operator==(const ImagePreparation&) const = default;
};

/// How images are prepared for `model`, a name of the registry with or without a tag: as it was published, but for
/// `changes`. Throws Error(usage) for an unknown model, an unknown interpolation or sizes out of range.
ImageTransform image_transform(const std::string& model, const ImagePreparation& changes);

}  // namespace graft
