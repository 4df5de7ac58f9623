#include "tools/augment_flags.h"

#include <fmt/format.h>

#include <limits>
#include <tuple>
#include <utility>

#include "engine/base/error.h"

namespace graft {
namespace {

constexpr const char* kRandom = "random";
constexpr double kMirrored = 0.5;

/// Two numbers of which the first is not the greater.
std::pair<double, double> range_of(const char* flag, const std::vector<double>& values, std::pair<double, double> range,
                                   double most) {
  if (!values.empty()) range = {values[0], values[1]};
  if (range.first > 0.0 && range.first <= range.second && range.second <= most) return range;
  fail(ErrorKind::usage, "{} {} {}: give the least, above 0, then the greatest{}", flag, range.first, range.second,
       most == 1.0 ? ", at most 1" : "");
}

std::pair<Interpolation, Interpolation> interpolations_of(const std::string& name) {
  if (name.empty() || name == kRandom) return {Interpolation::bilinear, Interpolation::bicubic};
  return {interpolation_of(name), interpolation_of(name)};
}

RandomResizedCrop crop_of(const AugmentFlags& flags) {
  RandomResizedCrop crop;
  std::tie(crop.min_area, crop.max_area) = range_of("--scale", flags.scale, {crop.min_area, crop.max_area}, 1.0);
  std::tie(crop.min_ratio, crop.max_ratio) =
      range_of("--ratio", flags.ratio, {crop.min_ratio, crop.max_ratio}, std::numeric_limits<double>::max());
  crop.interpolations = interpolations_of(flags.train_interpolation);
  return crop;
}

}  // namespace

void add_augment_flags(CLI::App& command, AugmentFlags& flags) {
  command.add_option("--scale", flags.scale, "random crops' share of the area: least and greatest; default 0.08 1")
      ->delimiter(',')
      ->expected(2);
  command.add_option("--ratio", flags.ratio, "their width over height: least and greatest; default 3/4 4/3")
      ->delimiter(',')
      ->expected(2);
  command.add_option("--train-interpolation", flags.train_interpolation, "of random crops; default: random")
      ->check(CLI::IsMember({kRandom, "bilinear", "bicubic"}));
  command
      .add_option("--hflip", flags.hflip, "probability of mirroring a training image; default 0.5, of small images 0")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--crop-padding", flags.crop_padding, "zeros around an image before a random crop of its own size")
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--no-aug", flags.none, "training images as evaluation sees them");
}

AugmentOptions augment_options(const AugmentFlags& flags, bool transformed) {
  const bool crop_asked = !flags.scale.empty() || !flags.ratio.empty() || !flags.train_interpolation.empty();
  if (flags.none) {
    if (crop_asked || flags.hflip.value_or(0.0) > 0.0 || flags.crop_padding > 0) {
      fail(ErrorKind::usage,
           "--no-aug leaves nothing for --scale, --ratio, --train-interpolation, --hflip and --crop-padding: give it "
           "or them");
    }
    return {};
  }
  AugmentOptions options{.crop_padding = flags.crop_padding,
                         .flip_probability = flags.hflip.value_or(transformed ? kMirrored : 0.0)};
  options.flip = options.flip_probability > 0.0;
  if (crop_asked || (transformed && flags.crop_padding == 0)) options.resized_crop = crop_of(flags);
  return options;
}

std::map<std::string, std::string> augment_arguments(const AugmentOptions& options, const AugmentFlags& flags) {
  if (flags.none) return {};
  std::map<std::string, std::string> arguments{
      {"hflip", fmt::to_string(options.flip ? options.flip_probability : 0.0)}};
  if (const auto& crop = options.resized_crop) {
    arguments["scale"] = fmt::format("{},{}", crop->min_area, crop->max_area);
    arguments["ratio"] = fmt::format("{},{}", crop->min_ratio, crop->max_ratio);
    arguments["train-interpolation"] = flags.train_interpolation.empty() ? kRandom : flags.train_interpolation;
  }
  return arguments;
}

}  // namespace graft
