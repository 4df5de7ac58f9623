#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/format_fault.h"
#include "engine/io/sha256.h"
#include "engine/io/stored_tensor.h"
#include "tools/command.h"
#include "tools/max_bytes_flag.h"
#include "transfer/text_table.h"

// `graft inspect FILE`: what is in a checkpoint. Without --hash only headers are read, never tensors' data.
namespace graft {
namespace {

using Json = nlohmann::ordered_json;

struct InspectFlags {
  std::string file;
  bool json = false;
  bool hash = false;
  CheckpointOptions options;
};

struct Totals {
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
};

std::uint64_t elements_of(const CheckpointTensor& tensor) {
  if (!tensor.problem.empty()) return 0;
  std::uint64_t count = 1;
  for (const std::int64_t extent : tensor.shape) count *= static_cast<std::uint64_t>(extent);
  return count;
}

Totals totals_of(const Checkpoint& checkpoint) {
  Totals totals;
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    totals.elements += elements_of(tensor);
    totals.bytes += tensor.nbytes;
  }
  return totals;
}

Json describe(const Checkpoint& checkpoint, bool hash) {
  const Totals totals = totals_of(checkpoint);
  Json json{
      {"file", checkpoint.path().string()}, {"format", checkpoint.format()}, {"tensors", Json::array()},
      {"elements", totals.elements},        {"bytes", totals.bytes},         {"metadata", Json(checkpoint.metadata())},
      {"notes", Json(checkpoint.notes())}};
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    Json row{{"name", tensor.name}, {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"bytes", tensor.nbytes}};
    if (!tensor.problem.empty()) row["problem"] = tensor.problem;
    json["tensors"].push_back(std::move(row));
  }
  if (!hash) return json;
  Json hashes = Json::object();
  for (const auto& file : checkpoint.files()) hashes[file.string()] = sha256_file(file);
  json["sha256"] = std::move(hashes);
  return json;
}

/// For people: one line a tensor. Names are the file's, so whatever a terminal would obey is taken out.
void print_text(const Checkpoint& checkpoint, bool hash) {
  TextTable table(
      {{.heading = "tensor"}, {.heading = "dtype"}, {.heading = "shape"}, {.heading = "bytes", .align = Align::right}});
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    table.add({printable(tensor.name), printable(tensor.dtype), shape_text(tensor.shape),
               tensor.problem.empty() ? std::to_string(tensor.nbytes) : "unreadable"});
  }
  fmt::print("{}", table.text());
  const Totals totals = totals_of(checkpoint);
  fmt::print("\n{}: {}, {} tensors, {} elements, {} bytes\n", checkpoint.path().string(), checkpoint.format(),
             checkpoint.tensors().size(), totals.elements, totals.bytes);
  for (const auto& [key, value] : checkpoint.metadata()) fmt::print("{} = {}\n", printable(key), printable(value));
  for (const CheckpointTensor& tensor : checkpoint.tensors()) {
    if (!tensor.problem.empty()) fmt::print("note: {}: {}\n", printable(tensor.name), tensor.problem);
  }
  for (const std::string& note : checkpoint.notes()) fmt::print("note: {}\n", note);
  if (!hash) return;
  for (const auto& file : checkpoint.files()) fmt::print("sha256 {}  {}\n", sha256_file(file), file.string());
}

int inspect(const InspectFlags& flags) {
  const std::unique_ptr<Checkpoint> checkpoint = open_checkpoint(flags.file, flags.options);
  if (flags.json) {
    // Names may hold bytes that are no UTF-8; JSON may not.
    fmt::print("{}\n", describe(*checkpoint, flags.hash).dump(2, ' ', false, Json::error_handler_t::replace));
  } else {
    print_text(*checkpoint, flags.hash);
  }
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("inspect", "what is in a checkpoint; nothing in it is executed");
  auto flags = std::make_shared<InspectFlags>();
  command->add_option("FILE", flags->file, "safetensors, PyTorch .pth, npz, .caffemodel, ONNX, or a folder with one")
      ->required();
  command->add_flag("--json", flags->json, "print JSON");
  command->add_flag("--hash", flags->hash, "print the SHA-256 of the file, which reads all of it");
  command->add_option("--section", flags->options.section, "the entry of a PyTorch file that holds the weights");
  add_max_bytes_flag(*command, flags->options.max_bytes);
  command->callback([&context, flags] { context.chosen = [flags] { return inspect(*flags); }; });
}

}  // namespace graft
