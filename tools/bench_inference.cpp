#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/backend/registry.h"
#include "tools/command.h"
#include "tools/device_flags.h"
#include "tools/synthetic_step.h"

// `graft bench inference`: how many images a second a trained network classifies.
namespace graft {
namespace {

struct BenchInferenceFlags {
  std::string model;
  std::int64_t batch = 32;
  std::int64_t size = 0;
  std::string dtype = "f32";
  std::int64_t steps = 10;
  std::int64_t warmup = 2;
  int threads = 0;
  bool unfolded = false;
  DeviceFlags device;
  bool json = false;
};

SyntheticStepOptions resolve(const BenchInferenceFlags& flags) {
  SyntheticStepOptions options;
  options.model = flags.model;
  options.network = find_backbone(flags.model).defaults;
  options.training.batch_size = flags.batch;
  options.training.amp = flags.dtype == "bf16" ? "bf16" : "none";
  options.warmup = flags.warmup;
  options.steps = flags.steps;
  if (flags.size > 0) options.network.height = options.network.width = flags.size;
  return options;
}

int bench_inference(const BenchInferenceFlags& flags) {
  const SyntheticStepOptions options = resolve(flags);
  const auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, flags.threads));
  const std::vector<double> all = time_inference(*backend, options, !flags.unfolded);
  const double milliseconds = median(all);
  const double least = *std::min_element(all.begin(), all.end());
  const double rate = 1e3 * static_cast<double>(flags.batch) / milliseconds;
  if (!flags.json) {
    fmt::print(
        "{}{} batch {} at {}x{} in {} on {} with {} threads: {:.2f} ms a batch (least {:.2f}), {:.1f} images/s\n",
        flags.model, flags.unfolded ? ", unfolded," : "", flags.batch, options.network.height, options.network.width,
        flags.dtype, backend->device_kind(), backend->threads(), milliseconds, least, rate);
    return 0;
  }
  const nlohmann::ordered_json row{{"model", flags.model},           {"batch", flags.batch},
                                   {"size", options.network.height}, {"dtype", flags.dtype},
                                   {"folded", !flags.unfolded},      {"device", backend->device_kind()},
                                   {"threads", backend->threads()},  {"steps", flags.steps},
                                   {"ms_per_batch", milliseconds},   {"least_ms", least},
                                   {"images_per_second", rate}};
  fmt::print("{}\n", row.dump());
  return 0;
}

}  // namespace

void add_bench_inference(CLI::App& bench, CommandContext& context) {
  CLI::App* command = bench.add_subcommand("inference", "a forward pass on synthetic images, batch norms folded");
  auto flags = std::make_shared<BenchInferenceFlags>();
  command->add_option("--model", flags->model, "a name of graft models")->required();
  command->add_option("--batch", flags->batch)->check(CLI::PositiveNumber);
  command->add_option("--size", flags->size, "height and width; default: the model's")->check(CLI::PositiveNumber);
  command->add_option("--dtype", flags->dtype)->check(CLI::IsMember({"f32", "bf16"}));
  command->add_option("--steps", flags->steps, "measured batches")->check(CLI::PositiveNumber);
  command->add_option("--warmup", flags->warmup, "batches before them")->check(CLI::NonNegativeNumber);
  command->add_option("--threads", flags->threads, "0: all cores")->check(CLI::NonNegativeNumber);
  command->add_flag("--unfolded", flags->unfolded, "leave batch norms as layers of their own");
  add_device_flags(*command, flags->device);
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return bench_inference(*flags); }; });
}

}  // namespace graft
