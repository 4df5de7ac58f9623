#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "datasets/image_folder.h"
#include "datasets/image_scratch.h"
#include "datasets/loader.h"
#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "tools/command.h"
#include "tools/device_flags.h"
#include "tools/synthetic_step.h"

// `graft bench loader`: what the loader makes of a folder of images, beside bare decoding and resizing.
namespace graft {
namespace {

struct BenchLoaderFlags {
  std::string data_dir;
  std::string interpolation = "bilinear";
  ImageTransform transform;
  std::int64_t batch = 64;
  int workers = 1;
  int rounds = 5;
  DeviceFlags device;
  bool json = false;
};

/// Seconds of processor time of all threads, and of the clock.
struct Stopwatch {
  std::clock_t processor = std::clock();
  std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
};

struct Rate {
  double per_processor_second = 0.0;
  double per_second = 0.0;
};

Rate rate_since(const Stopwatch& start, std::int64_t images) {
  const double processor = static_cast<double>(std::clock() - start.processor) / CLOCKS_PER_SEC;
  const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start.wall).count();
  return {.per_processor_second = static_cast<double>(images) / processor,
          .per_second = static_cast<double>(images) / wall};
}

/// Each file read, decoded, resized and cropped, by one thread in a plain loop.
Rate bare_rate(const ImageFiles& files, const ImageTransform& transform) {
  ImageScratch scratch;
  std::vector<std::byte> out(static_cast<std::size_t>(transform.item_shape().numel()));
  const Stopwatch start;
  for (const std::string& file : files.files) {
    read_image(files.root / file, {}, scratch.file, scratch.image);
    resize_and_crop(scratch.image.view(), transform, scratch.resize, out);
  }
  return rate_since(start, static_cast<std::int64_t>(files.files.size()));
}

/// The same as normalised batches on the backend.
Rate loader_rate(Loader& loader, std::int64_t epoch) {
  std::int64_t images = 0;
  const Stopwatch start;
  loader.start_epoch(epoch);
  while (const auto batch = loader.next()) images += batch->count;
  return rate_since(start, images);
}

int bench_loader(const BenchLoaderFlags& flags) {
  ImageTransform transform = flags.transform;
  transform.interpolation = interpolation_of(flags.interpolation);
  const ImageFiles files = list_image_folder(flags.data_dir);
  const auto backend = backend_registry().make(flags.device.name, backend_options(flags.device, 1));
  LoaderOptions options{.batch_size = flags.batch,
                        .threads = flags.workers,
                        .mean = transform.mean,
                        .deviation = transform.deviation,
                        .resident_bytes = 0};
  Loader evaluating(open_image_files(files, transform, {}), *backend, options);
  options.shuffle = true;
  options.augment = {.flip = true, .resized_crop = RandomResizedCrop{}};
  Loader training(open_image_files(files, transform, {}), *backend, options);
  std::vector<double> bare;
  std::vector<double> loader;
  std::vector<double> wall;
  std::vector<double> random;
  std::vector<double> shares;
  // Once without measuring: files come into the system's memory, buffers grow.
  bare_rate(files, transform);
  loader_rate(evaluating, 0);
  loader_rate(training, 0);
  for (int round = 0; round < flags.rounds; ++round) {
    bare.push_back(bare_rate(files, transform).per_processor_second);
    const Rate rate = loader_rate(evaluating, round);
    loader.push_back(rate.per_processor_second);
    wall.push_back(rate.per_second);
    random.push_back(loader_rate(training, round).per_processor_second);
    shares.push_back(loader.back() / bare.back());
  }
  const nlohmann::ordered_json row{
      {"images", files.files.size()},         {"resize", transform.resize},        {"size", transform.size},
      {"interpolation", flags.interpolation}, {"workers", flags.workers},          {"device", backend->device_kind()},
      {"bare_per_core", median(bare)},        {"loader_per_core", median(loader)}, {"share", median(shares)},
      {"training_per_core", median(random)},  {"loader_per_second", median(wall)}};
  if (flags.json) {
    fmt::print("{}\n", row.dump());
    return 0;
  }
  fmt::print(
      "{} images to {} {} and {}: {:.0f} images/s a core decoded and resized, {:.0f} through the loader ({:.0f}%), "
      "{:.0f} "
      "with random crops; {:.0f} images/s by {} workers\n",
      files.files.size(), transform.resize, flags.interpolation, transform.size, median(bare), median(loader),
      100 * median(shares), median(random), median(wall), flags.workers);
  return 0;
}

}  // namespace

void add_bench_loader(CLI::App& bench, CommandContext& context) {
  CLI::App* command = bench.add_subcommand(
      "loader", "image files through the loader beside bare decoding and resizing, by processor time");
  auto flags = std::make_shared<BenchLoaderFlags>();
  command->add_option("--data-dir", flags->data_dir, "a folder with a folder of images a class")->required();
  command->add_option("--resize", flags->transform.resize, "the shorter side")->check(CLI::PositiveNumber);
  command->add_option("--size", flags->transform.size, "the centre crop")->check(CLI::PositiveNumber);
  command->add_option("--interpolation", flags->interpolation, "nearest, box, bilinear, hamming, bicubic or lanczos");
  command->add_option("--batch", flags->batch)->check(CLI::PositiveNumber);
  command->add_option("--workers", flags->workers, "loader threads; 0: the caller's")->check(CLI::NonNegativeNumber);
  command->add_option("--rounds", flags->rounds, "measured epochs")->check(CLI::PositiveNumber);
  add_device_flags(*command, flags->device);
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return bench_loader(*flags); }; });
}

}  // namespace graft
