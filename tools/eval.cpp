#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "models/pretrained.h"
#include "tools/command.h"
#include "tools/train_flags.h"
#include "transfer/evaluation.h"
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

int eval(const EvalFlags& flags) {
  const NetworkFlags& common = flags.network;
  const auto backend = backend_registry().make(common.device.name, backend_options(common.device, common.threads));
  TrainingSettings precision;
  precision.amp = common.amp;
  check_amp(precision, *backend);
  const NetworkAndData opened = open_network(common, *backend);
  initialize(state_of(*opened.network), 0, "base-target");
  const auto file = open_checkpoint(flags.pretrained);
  run_import(*file, plan_import(*file, *opened.network), *opened.network);
  Loader loader(flags.split == "train" ? opened.data.train : opened.data.test, *backend,
                {.batch_size = common.batch_size,
                 .pad_last = true,
                 .threads = common.workers,
                 .dtype = compute_dtype(precision),
                 .mean = opened.data.mean,
                 .deviation = opened.data.deviation});
  const Evaluation result = evaluate_network(*opened.network, *backend, loader);
  if (flags.json) {
    const nlohmann::ordered_json row{{"model", common.model},          {"pretrained", flags.pretrained},
                                     {"dataset", common.dataset},      {"split", flags.split},
                                     {"images", result.images},        {"top1", result.top1_accuracy()},
                                     {"top5", result.top5_accuracy()}, {"loss", result.loss}};
    fmt::print("{}\n", row.dump());
  } else {
    fmt::print("{} on {} {} images of {}: top-1 {:.4f} ({}), top-5 {:.4f} ({}), loss {:.4f}\n", common.model,
               result.images, flags.split, common.dataset, result.top1_accuracy(), result.top1, result.top5_accuracy(),
               result.top5, result.loss);
  }
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
