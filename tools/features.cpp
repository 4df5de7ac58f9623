#include <fmt/core.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/ops/global_avg_pool.h"
#include "tools/command.h"
#include "tools/feature_file.h"
#include "tools/image_flags.h"
#include "tools/network_file.h"

// `graft features`: what a stage of a network gives for images.
namespace graft {
namespace {

struct FeaturesFlags {
  NetworkFileFlags network;
  ImageFlags image;
  std::vector<std::string> images;
  std::string stage;
  std::string output;
  bool full = false;
};

/// A batch's features as they are stored: the public layout, or the mean over each image.
Tensor stored_features(const Variable& y, bool full, Backend& backend) {
  if (y.shape().rank() != 4) return y.value();
  if (!full) return global_avg_pool(y).value();
  const Tensor turned = backend.empty({y.shape()[0], y.shape()[3], y.shape()[1], y.shape()[2]}, y.dtype());
  backend.nhwc_to_nchw(y.value(), turned);
  return turned;
}

int features(const FeaturesFlags& flags) {
  const ImageTransform transform = image_transform(flags.network.model, flags.image);
  const auto backend = make_network_backend(flags.network);
  const LoadedNetwork loaded = load_network(flags.network, *backend, transform.size);
  const int last =
      flags.stage.empty() ? loaded.network->stage_count() : stages_until(*loaded.network, "--stage", flags.stage);
  FeatureFileInfo info{
      .shape = {},
      .images = flags.images,
      .metadata = {{"model", flags.network.model}, {"stage", flags.stage.empty() ? "the last" : flags.stage}}};
  std::unique_ptr<FeatureFile> file;
  for_each_output(
      flags.network, flags.images, transform, {.max_pixels = flags.image.max_pixels}, *backend,
      [&](const Tensor& items) {
        const Variable y = loaded.network->forward_stages(Variable(items), 0, last, {});
        const Tensor result = stored_features(y, flags.full, *backend);
        info.shape.assign(result.shape().dims().begin(), result.shape().dims().end());
        return result;
      },
      [&](const std::string&, const std::vector<float>& row) {
        if (file == nullptr) {
          info.shape.front() = std::ssize(flags.images);
          file = create_feature_file(flags.output, info);
        }
        file->write(row);
      });
  file->commit();
  info.shape.front() = std::ssize(flags.images);
  fmt::print("{}: features [{}]\n", flags.output, fmt::join(info.shape, ", "));
  return 0;
}

}  // namespace

void add_features(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("features", "write what a stage of a network gives for images");
  auto flags = std::make_shared<FeaturesFlags>();
  command->add_option("IMAGE", flags->images, "image files")->required();
  add_network_file_flags(*command, flags->network);
  add_image_flags(*command, flags->image);
  command->add_option("--stage", flags->stage, "a stage's name (graft models); default: the last");
  command->add_flag("--full", flags->full, "[N, C, H, W] as it is, instead of the mean over each image, [N, C]");
  command
      ->add_option("-o,--output", flags->output,
                   "the file to write: NumPy's arrays where it ends in .npz, else safetensors")
      ->required();
  command->callback([&context, flags] { context.chosen = [flags] { return features(*flags); }; });
}

}  // namespace graft
