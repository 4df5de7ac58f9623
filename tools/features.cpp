#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/safetensors_file.h"
#include "engine/ops/global_avg_pool.h"
#include "tools/command.h"
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

int features(const FeaturesFlags& flags) {
  const ImageTransform transform = image_transform(flags.network.model, flags.image);
  const auto backend = make_network_backend(flags.network);
  const LoadedNetwork loaded = load_network(flags.network, *backend, transform.size);
  const int last =
      flags.stage.empty() ? loaded.network->stage_count() : stages_until(*loaded.network, "--stage", flags.stage);
  Shape shape;  // of a batch's features, in the public layout
  const auto run = [&](const Tensor& items) {
    const Variable y = loaded.network->forward_stages(Variable(items), 0, last, {});
    const bool image = y.shape().rank() == 4;
    if (!image) {
      shape = y.shape();
      return y.value();
    }
    if (!flags.full) {
      const Variable pooled = global_avg_pool(y);
      shape = pooled.shape();
      return pooled.value();
    }
    shape = {y.shape()[0], y.shape()[3], y.shape()[1], y.shape()[2]};
    const Tensor turned = backend->empty(shape, y.dtype());
    backend->nhwc_to_nchw(y.value(), turned);
    return turned;
  };
  std::vector<float> all;
  for_each_output(
      flags.network, flags.images, transform, {.max_pixels = flags.image.max_pixels}, *backend, run,
      [&](const std::string&, const std::vector<float>& row) { all.insert(all.end(), row.begin(), row.end()); });
  std::vector<std::int64_t> stored(shape.dims().begin(), shape.dims().end());
  stored.front() = static_cast<std::int64_t>(flags.images.size());
  const std::string header = safetensors_header({{.name = "features", .dtype = DType::f32, .shape = stored}},
                                                {{"model", flags.network.model},
                                                 {"stage", flags.stage.empty() ? "the last" : flags.stage},
                                                 {"images", nlohmann::json(flags.images).dump()}});
  AtomicFile file(flags.output);
  file.write(std::as_bytes(std::span(header)));
  file.write(std::as_bytes(std::span(all)));
  file.commit();
  fmt::print("{}: features [{}]\n", flags.output, fmt::join(stored, ", "));
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
  command->add_option("-o,--output", flags->output, "the safetensors file to write")->required();
  command->callback([&context, flags] { context.chosen = [flags] { return features(*flags); }; });
}

}  // namespace graft
