#include "tools/image_flags.h"

namespace graft {

void add_image_flags(CLI::App& command, ImageFlags& flags) {
  command.add_option("--img-size", flags.size, "height and width of the network's input; default: the model's")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--crop-pct", flags.crop_pct, "share of the shorter side that the centre crop takes")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--interpolation", flags.interpolation, "bilinear, bicubic, ...; default: the model's");
  command.add_option("--mean", flags.mean, "three numbers, of values in [0, 1]")->delimiter(',')->expected(3);
  command.add_option("--std", flags.deviation, "three numbers")->delimiter(',')->expected(3);
  command.add_option("--max-pixels", flags.max_pixels, "largest image that is decoded")->check(CLI::PositiveNumber);
}

ImageOptions image_options(const std::string& model, const std::string& dataset, const ImageFlags& flags) {
  ImageOptions options;
  options.limits.max_pixels = flags.max_pixels;
  if (flags.changes_anything() || dataset == "imagefolder") options.transform = image_transform(model, flags);
  return options;
}

}  // namespace graft
