#include "tools/network_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/image_folder.h"
#include "datasets/loader.h"
#include "engine/autograd/variable.h"
#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "models/pretrained.h"
#include "tools/max_bytes_flag.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

std::string metadata_of(const Checkpoint& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  return found == file.metadata().end() ? std::string() : found->second;
}

/// The names that `graft train` writes beside the weights.
std::vector<std::string> names_in(const Checkpoint& file) {
  const auto json = nlohmann::json::parse(metadata_of(file, "classes"), nullptr, false);
  std::vector<std::string> names;
  if (!json.is_array()) return names;
  for (const auto& name : json) names.push_back(name.is_string() ? name.get<std::string>() : "");
  return names;
}

}  // namespace

void add_network_file_flags(CLI::App& command, NetworkFileFlags& flags) {
  command.add_option("--model", flags.model, "a name of graft models")->required();
  command.add_option("--pretrained,--checkpoint", flags.pretrained, "the weights")->required();
  add_max_bytes_flag(command, flags.max_bytes);
  command.add_option("--num-classes", flags.num_classes, "default: as many as the checkpoint's head has")
      ->check(CLI::NonNegativeNumber);
  command.add_option("-b,--batch-size", flags.batch_size)->check(CLI::PositiveNumber);
  command.add_option("--amp", flags.amp, "precision of activations and products")
      ->check(CLI::IsMember({"none", "bf16"}));
  command.add_option("--workers", flags.workers, "threads that read images")->check(CLI::NonNegativeNumber);
  command.add_option("--threads", flags.threads, "0: all cores")->check(CLI::NonNegativeNumber);
  add_device_flags(command, flags.device);
}

std::unique_ptr<Backend> make_network_backend(const NetworkFileFlags& flags) {
  auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, flags.threads));
  check_amp(flags.amp, *backend);
  return backend;
}

LoadedNetwork load_network(const NetworkFileFlags& flags, Backend& backend, std::int64_t size) {
  const auto file = open_checkpoint(flags.pretrained, {.max_bytes = flags.max_bytes});
  BackboneOptions options = find_backbone(flags.model).defaults;
  options.in_channels = 3;
  options.height = size;
  options.width = size;
  options.classes = flags.num_classes > 0 ? flags.num_classes : options.classes;
  LoadedNetwork loaded{
      .network = make_backbone(flags.model, backend, options),
      .class_names = names_in(*file),
      .multi_label = find_backbone(flags.model).multi_label || metadata_of(*file, kActivation) == kSigmoid};
  if (flags.num_classes == 0) {
    if (const std::optional<std::int64_t> classes = classes_in(*file, *loaded.network)) {
      options.classes = *classes;
      loaded.network = make_backbone(flags.model, backend, options);
    }
  }
  loaded.classes = options.classes;
  start_from(*file, *loaded.network);
  return loaded;
}

int stages_until(const Backbone& network, const std::string& flag, const std::string& stage) {
  std::vector<std::string> names;
  for (const Backbone::Stage& each : network.stages()) {
    names.push_back(each.name);
    if (each.name == stage) return static_cast<int>(names.size());
  }
  fail(ErrorKind::usage, "{} {}: the stages are {}", flag, stage, fmt::join(names, ", "));
}

void for_each_output(const NetworkFileFlags& flags, const std::vector<std::string>& images,
                     const ImageTransform& transform, const ImageLimits& limits, Backend& backend,
                     const std::function<Tensor(const Tensor&)>& network,
                     const std::function<void(const std::string&, const std::vector<float>&)>& take) {
  const NoGradScope no_grad;
  const DatasetPtr dataset = open_image_files(
      {.root = "", .files = images, .labels = std::vector<std::int64_t>(images.size()), .class_names = {""}}, transform,
      limits);
  Loader loader(dataset, backend,
                {.batch_size = std::min(flags.batch_size, static_cast<std::int64_t>(images.size())),
                 .pad_last = true,
                 .threads = flags.workers,
                 .dtype = compute_dtype(flags.amp),
                 .mean = transform.mean,
                 .deviation = transform.deviation});
  loader.start_epoch(0);
  std::size_t done = 0;
  while (const std::optional<Batch> batch = loader.next()) {
    const Tensor result = network(batch->items);
    Tensor wide = result;
    if (result.dtype() != DType::f32) {
      wide = backend.empty(result.shape(), DType::f32);
      backend.cast(result, wide);
    }
    std::vector<float> values(static_cast<std::size_t>(wide.numel()));
    backend.copy_to_host(wide, values.data());
    const std::size_t width = values.size() / static_cast<std::size_t>(wide.dim(0));
    for (std::int64_t row = 0; row < batch->count; ++row, ++done) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * width);
      take(images[done], std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(width)));
    }
  }
}

}  // namespace graft
