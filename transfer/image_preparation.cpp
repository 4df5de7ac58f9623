#include "transfer/image_preparation.h"

#include "models/backbone.h"

namespace graft {
namespace {

template <class Values>
std::vector<float> as_floats(const Values& values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const double value : values) result.push_back(static_cast<float>(value));
  return result;
}

}  // namespace

ImageTransform image_transform(const std::string& model, const ImagePreparation& changes) {
  const ImageConfig published = image_config_of(model);
  ImageTransform transform{.size = changes.size > 0 ? changes.size : published.size,
                           .mean = as_floats(published.mean),
                           .deviation = as_floats(published.std)};
  transform.resize = resize_for(transform.size, changes.crop_pct > 0.0 ? changes.crop_pct : published.crop_pct);
  transform.interpolation =
      interpolation_of(changes.interpolation.empty() ? published.interpolation : changes.interpolation);
  if (!changes.mean.empty()) transform.mean = as_floats(changes.mean);
  if (!changes.deviation.empty()) transform.deviation = as_floats(changes.deviation);
  check_transform(transform);
  return transform;
}

}  // namespace graft
