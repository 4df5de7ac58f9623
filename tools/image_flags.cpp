#include "tools/image_flags.h"

#include "engine/base/error.h"
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

void add_image_flags(CLI::App& command, ImageFlags& flags) {
  command.add_option("--img-size", flags.img_size, "height and width of the network's input; default: the model's")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--crop-pct", flags.crop_pct, "share of the shorter side that the centre crop takes")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--interpolation", flags.interpolation, "bilinear, bicubic, ...; default: the model's");
  command.add_option("--mean", flags.mean, "three numbers, of values in [0, 1]")->delimiter(',')->expected(3);
  command.add_option("--std", flags.deviation, "three numbers")->delimiter(',')->expected(3);
  command.add_option("--max-pixels", flags.max_pixels, "largest image that is decoded")->check(CLI::PositiveNumber);
}

ImageTransform image_transform(const std::string& model, const ImageFlags& flags) {
  const ImageConfig published = image_config_of(model);
  ImageTransform transform{.size = flags.img_size > 0 ? flags.img_size : published.size,
                           .mean = as_floats(published.mean),
                           .deviation = as_floats(published.std)};
  transform.resize = resize_for(transform.size, flags.crop_pct > 0.0 ? flags.crop_pct : published.crop_pct);
  transform.interpolation =
      interpolation_of(flags.interpolation.empty() ? published.interpolation : flags.interpolation);
  if (!flags.mean.empty()) transform.mean = as_floats(flags.mean);
  if (!flags.deviation.empty()) transform.deviation = as_floats(flags.deviation);
  check_transform(transform);
  return transform;
}

ImageOptions image_options(const std::string& model, const std::string& dataset, const ImageFlags& flags) {
  ImageOptions options;
  options.limits.max_pixels = flags.max_pixels;
  const bool asked = flags.img_size > 0 || flags.crop_pct > 0.0 || !flags.interpolation.empty() ||
                     !flags.mean.empty() || !flags.deviation.empty();
  if (asked || dataset == "imagefolder") options.transform = image_transform(model, flags);
  return options;
}

}  // namespace graft
