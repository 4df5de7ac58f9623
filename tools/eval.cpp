#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend/registry.h"
#include "engine/io/checkpoint.h"
#include "models/pretrained.h"
#include "tools/command.h"
#include "tools/train_flags.h"
#include "transfer/evaluation.h"
#include "transfer/text_table.h"
#include "transfer/trainer.h"

// `graft eval`: how well a trained network does on a data set.
namespace graft {
namespace {

struct EvalFlags {
  NetworkFlags network;
  std::string pretrained;
  std::string split = "test";
  bool json = false;
};

Evaluation evaluate(const EvalFlags& flags, const NetworkAndData& opened, Backend& backend) {
  const DatasetPtr& data = flags.split == "train" ? opened.data.train : opened.data.test;
  Loader loader(data, backend,
                {.batch_size = flags.network.batch_size,
                 .pad_last = true,
                 .targets = opened.binary_loss,
                 .threads = flags.network.workers,
                 .dtype = compute_dtype(flags.network.amp),
                 .mean = opened.data.mean,
                 .deviation = opened.data.deviation});
  return evaluate_network(*opened.network, backend, loader, {.auroc = data->multi_label()});
}

nlohmann::ordered_json json_of(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json();
}

void print_json(const EvalFlags& flags, const Evaluation& result, const std::vector<std::string>& classes) {
  nlohmann::ordered_json row{{"model", flags.network.model},
                             {"pretrained", flags.pretrained},
                             {"dataset", flags.network.dataset},
                             {"split", flags.split},
                             {"images", result.images}};
  if (result.auroc.labels.empty()) {
    row["top1"] = result.top1_accuracy();
    row["top5"] = result.top5_accuracy();
  } else {
    row["auroc"] = json_of(result.auroc.mean);
    row["aurocs"] = nlohmann::ordered_json::object();
    for (std::size_t i = 0; i < classes.size(); ++i) row["aurocs"][classes[i]] = json_of(result.auroc.labels[i]);
  }
  row["loss"] = result.loss;
  fmt::print("{}\n", row.dump());
}

void print_text(const EvalFlags& flags, const Evaluation& result, const std::vector<std::string>& classes) {
  const std::string what =
      fmt::format("{} on {} {} images of {}", flags.network.model, result.images, flags.split, flags.network.dataset);
  if (result.auroc.labels.empty()) {
    fmt::print("{}: top-1 {:.4f} ({}), top-5 {:.4f} ({}), loss {:.4f}\n", what, result.top1_accuracy(), result.top1,
               result.top5_accuracy(), result.top5, result.loss);
    return;
  }
  const auto text = [](const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; };
  TextTable table({{.heading = "class"}, {.heading = "AUROC", .align = Align::right}});
  for (std::size_t i = 0; i < classes.size(); ++i) table.add({classes[i], text(result.auroc.labels[i])});
  fmt::print("{}{}: mean AUROC {}, loss {:.4f}\n", table.text(), what, text(result.auroc.mean), result.loss);
}

int eval(const EvalFlags& flags) {
  const NetworkFlags& common = flags.network;
  const auto backend = backend_registry().make(common.device.name, backend_options(common.device, common.threads));
  check_amp(common.amp, *backend);
  const NetworkAndData opened = open_network(common, *backend);
  start_from(*open_checkpoint(flags.pretrained, {.max_bytes = common.max_bytes}), *opened.network);
  const Evaluation result = evaluate(flags, opened, *backend);
  (flags.json ? print_json : print_text)(flags, result, opened.data.train->class_names());
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("eval", "test a trained network on a data set");
  auto flags = std::make_shared<EvalFlags>();
  add_network_flags(*command, flags->network);
  command->add_option("--pretrained,--checkpoint", flags->pretrained, "the network's checkpoint")->required();
  command->add_option("--split", flags->split, "which part of the data set")->check(CLI::IsMember({"test", "train"}));
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return eval(*flags); }; });
}

}  // namespace graft
