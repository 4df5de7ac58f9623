#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "tools/command.h"
#include "tools/device_flags.h"
#include "tools/synthetic_step.h"

// `graft bench step`: how long a training step takes.
namespace graft {
namespace {

struct BenchStepFlags {
  std::string model = "resnet18";
  std::int64_t batch = 16;
  std::int64_t size = 0;
  std::int64_t channels = 0;
  std::int64_t classes = 0;
  std::string dtype = "f32";
  std::int64_t steps = 20;
  std::int64_t warmup = 3;
  int threads = 0;
  DeviceFlags device;
  bool json = false;
};

/// The largest resident set of this process so far.
double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

SyntheticStepOptions resolve(const BenchStepFlags& flags) {
  SyntheticStepOptions options;
  options.model = flags.model;
  options.network = find_backbone(flags.model).defaults;
  options.training.batch_size = flags.batch;
  options.training.amp = flags.dtype == "bf16" ? "bf16" : "none";
  options.training.lr = 1e-3;
  options.warmup = flags.warmup;
  options.steps = flags.steps;
  if (flags.size > 0) options.network.height = options.network.width = flags.size;
  if (flags.channels > 0) options.network.in_channels = flags.channels;
  if (flags.classes > 0) options.network.classes = flags.classes;
  return options;
}

int bench_step(const BenchStepFlags& flags) {
  const SyntheticStepOptions options = resolve(flags);
  const auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, flags.threads));
  const std::vector<double> all = time_steps(*backend, options);
  const double milliseconds = median(all);
  const double rate = 1e3 * static_cast<double>(flags.batch) / milliseconds;
  if (!flags.json) {
    fmt::print(
        "{} batch {} at {}x{} in {} on {} with {} threads: {:.2f} ms a step (least {:.2f}), {:.0f} images/s, "
        "{:.0f} MiB\n",
        flags.model, flags.batch, options.network.height, options.network.width, flags.dtype, backend->device_kind(),
        backend->threads(), milliseconds, *std::min_element(all.begin(), all.end()), rate, peak_rss_mib());
    return 0;
  }
  const nlohmann::ordered_json row{{"model", flags.model},
                                   {"batch", flags.batch},
                                   {"size", options.network.height},
                                   {"dtype", flags.dtype},
                                   {"device", backend->device_kind()},
                                   {"threads", backend->threads()},
                                   {"graph", backend->can_capture()},
                                   {"steps", flags.steps},
                                   {"ms_per_step", milliseconds},
                                   {"least_ms", *std::min_element(all.begin(), all.end())},
                                   {"images_per_second", rate},
                                   {"peak_rss_mib", peak_rss_mib()}};
  fmt::print("{}\n", row.dump());
  return 0;
}

}  // namespace

void add_bench(CLI::App& app, CommandContext& context) {
  CLI::App* bench = app.add_subcommand("bench", "measured figures");
  add_bench_inference(*bench, context);
  add_bench_kernels(*bench, context);
  add_bench_loader(*bench, context);
  CLI::App* command = bench->add_subcommand("step", "a training step with SGD on synthetic data");
  auto flags = std::make_shared<BenchStepFlags>();
  command->add_option("--model", flags->model, "a name of graft models")->required();
  command->add_option("--batch", flags->batch)->check(CLI::PositiveNumber);
  command->add_option("--size", flags->size, "height and width; default: the model's")->check(CLI::PositiveNumber);
  command->add_option("--channels", flags->channels, "default: the model's")->check(CLI::PositiveNumber);
  command->add_option("--classes", flags->classes, "default: the model's")->check(CLI::PositiveNumber);
  command->add_option("--dtype", flags->dtype)->check(CLI::IsMember({"f32", "bf16"}));
  command->add_option("--steps", flags->steps, "measured steps")->check(CLI::PositiveNumber);
  command->add_option("--warmup", flags->warmup, "steps before them")->check(CLI::NonNegativeNumber);
  command->add_option("--threads", flags->threads, "0: all cores")->check(CLI::NonNegativeNumber);
  add_device_flags(*command, flags->device);
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return bench_step(*flags); }; });
}

}  // namespace graft
