#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/format_fault.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/io/stored_tensor.h"
#include "engine/nn/state.h"
#include "models/pretrained.h"
#include "tools/command.h"
#include "tools/max_bytes_flag.h"

// `graft import`: a published checkpoint under graft's names, with the map of what went where.
namespace graft {
namespace {

namespace fs = std::filesystem;

struct ImportFlags {
  std::string file;
  std::string model;
  std::string output;
  std::string license;
  std::int64_t num_classes = 0;
  std::int64_t in_channels = 0;
  CheckpointOptions file_options;
  ImportOptions options;
};

/// SHA-256 of the file, or, of a checkpoint in several, of a line "HASH NAME" for each that is read.
std::string source_hash(const Checkpoint& checkpoint) {
  if (checkpoint.files().size() == 1) return sha256_file(checkpoint.files().front());
  std::string lines;
  for (const fs::path& file : checkpoint.files()) {
    lines += fmt::format("{} {}\n", sha256_file(file), file.filename().string());
  }
  return sha256_hex(lines);
}

void print_map(const Checkpoint& file, const ImportPlan& plan) {
  std::size_t width = 0;
  for (const ImportedTensor& tensor : plan.tensors) width = std::max(width, printable(tensor.source.name).size());
  for (const ImportedTensor& tensor : plan.tensors) {
    fmt::print("{:{}}  ->  {} {}{}{}\n", printable(tensor.source.name), width, tensor.target,
               shape_text(tensor.target_shape), tensor.transform.empty() ? "" : ": ", tensor.transform);
  }
  for (const std::string& name : plan.kept) fmt::print("{:{}}  ->  {}\n", "(first values)", width, name);
  for (const std::string& name : plan.leftover) fmt::print("{:{}}  ->  (left over)\n", printable(name), width);
  for (const std::string& note : file.notes()) fmt::print("note: {}\n", note);
}

int import(const ImportFlags& flags) {
  const BackboneEntry& entry = find_backbone(flags.model);
  const auto backend = backend_registry().make("cpu", {});
  BackboneOptions network_options = entry.defaults;
  if (flags.num_classes > 0) network_options.classes = flags.num_classes;
  if (flags.in_channels > 0) network_options.in_channels = flags.in_channels;
  const auto network = make_backbone(flags.model, *backend, network_options);
  const auto file = open_checkpoint(flags.file, flags.file_options);
  ImportOptions options = flags.options;
  options.replace_unfit_head = flags.num_classes > 0;
  const ImportPlan plan = plan_import(*file, *network, options);
  std::map<std::string, std::string> metadata{{"format", "pt"},
                                              {"model", flags.model},
                                              {"source", fs::path(flags.file).filename().string()},
                                              {"source_format", file->format()},
                                              {"source_names", plan.publisher},
                                              {"source_sha256", source_hash(*file)}};
  if (!flags.license.empty()) metadata["license"] = flags.license;
  save_import(flags.output, *file, plan, *network, metadata);
  print_map(*file, plan);
  fmt::print("{}: {} tensors of {} ({}, names of {}), {} kept, {} left over\n", flags.output, plan.tensors.size(),
             flags.file, file->format(), plan.publisher, plan.kept.size(), plan.leftover.size());
  return 0;
}

}  // namespace

void add_import(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("import", "bring a published checkpoint under graft's names");
  auto flags = std::make_shared<ImportFlags>();
  command->add_option("FILE", flags->file, "safetensors, .pth, .npz, .caffemodel, .onnx, or a folder of shards")
      ->required();
  command->add_option("--model", flags->model, "a name of graft models")->required();
  command->add_option("-o,--output", flags->output, "the safetensors file to write")->required();
  command->add_option("--num-classes", flags->num_classes, "replaces the head by an untrained one of so many classes")
      ->check(CLI::PositiveNumber);
  command->add_option("--in-channels", flags->in_channels, "channels of the images; default: the model's")
      ->check(CLI::PositiveNumber);
  command->add_option("--section", flags->file_options.section,
                      "entry of a PyTorch file that holds the weights, such as ema");
  add_max_bytes_flag(*command, flags->file_options.max_bytes);
  command->add_option("--license", flags->license, "a note on the weights' licence for the file's metadata");
  command->add_option("--allow-missing", flags->options.allow_missing, "names that the file need not have");
  command->add_option("--allow-leftover", flags->options.allow_leftover, "tensors of the file that may be left over");
  command->callback([&context, flags] { context.chosen = [flags] { return import(*flags); }; });
}

}  // namespace graft
