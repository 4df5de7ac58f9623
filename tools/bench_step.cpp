#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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
  bool split = false;
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

void print_split(const std::vector<StepPart>& parts) {
  double all = 0.0;
  fmt::print("{:40} {:>8} {:>10} {:>6}\n", "kernel", "calls", "ms", "share");
  for (const StepPart& part : parts) {
    fmt::print("{:40} {:8g} {:10.4f} {:5.1f}%\n", part.kernel, part.calls, part.milliseconds, 100.0 * part.share);
    all += part.milliseconds;
  }
  fmt::print("all kernels of a step called one by one: {:.2f} ms\n", all);
}

nlohmann::ordered_json json_of(const std::vector<StepPart>& parts) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const StepPart& part : parts) {
    rows.push_back({{"kernel", part.kernel}, {"calls", part.calls}, {"ms", part.milliseconds}, {"share", part.share}});
  }
  return rows;
}

/// On a backend of its own, whose steps are not captured.
std::vector<StepPart> split(const BenchStepFlags& flags, const SyntheticStepOptions& options) {
  DeviceFlags device = flags.device;
  device.no_graph = true;
  const auto backend = backend_registry().make(device.name, backend_options(device, flags.threads));
  return split_step(*backend, options);
}

struct StepTime {
  std::string device;
  int threads = 0;
  bool graph = false;
  double milliseconds = 0.0;
  double least = 0.0;
};

StepTime time_of(const BenchStepFlags& flags, const SyntheticStepOptions& options) {
  const auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, flags.threads));
  const std::vector<double> all = time_steps(*backend, options);
  return {.device = backend->device_kind(),
          .threads = backend->threads(),
          .graph = backend->can_capture(),
          .milliseconds = median(all),
          .least = *std::min_element(all.begin(), all.end())};
}

int bench_step(const BenchStepFlags& flags) {
  const SyntheticStepOptions options = resolve(flags);
  const StepTime step = time_of(flags, options);
  const double rate = 1e3 * static_cast<double>(flags.batch) / step.milliseconds;
  const double rss = peak_rss_mib();
  if (!flags.json) {
    fmt::print(
        "{} batch {} at {}x{} in {} on {} with {} threads: {:.2f} ms a step (least {:.2f}), {:.0f} images/s, "
        "{:.0f} MiB\n",
        flags.model, flags.batch, options.network.height, options.network.width, flags.dtype, step.device, step.threads,
        step.milliseconds, step.least, rate, rss);
    if (flags.split) print_split(split(flags, options));
    return 0;
  }
  nlohmann::ordered_json row{{"model", flags.model},   {"batch", flags.batch},      {"size", options.network.height},
                             {"dtype", flags.dtype},   {"device", step.device},     {"threads", step.threads},
                             {"graph", step.graph},    {"steps", flags.steps},      {"ms_per_step", step.milliseconds},
                             {"least_ms", step.least}, {"images_per_second", rate}, {"peak_rss_mib", rss}};
  if (flags.split) row["split"] = json_of(split(flags, options));
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
  command->add_flag("--split", flags->split, "also what each kernel takes of a step, called one by one");
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return bench_step(*flags); }; });
}

}  // namespace graft
