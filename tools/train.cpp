#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "models/pretrained.h"
#include "tools/command.h"
#include "tools/interrupt.h"
#include "tools/network_file.h"
#include "tools/train_flags.h"
#include "transfer/training_session.h"

// `graft train`: one network on one data set.
namespace graft {
namespace {

namespace fs = std::filesystem;

fs::path output_folder(const TrainFlags& flags) {
  if (!flags.output.empty()) return flags.output;
  if (flags.network.model.empty()) fail(ErrorKind::usage, "--model is wanted (graft models lists them)");
  return fs::path("runs") / fmt::format("{}-{}", flags.network.dataset, flags.network.model);
}

/// First values, or the published weights; a head for other classes keeps its first values.
void give_values(const TrainFlags& flags, Backbone& network) {
  if (flags.pretrained.empty()) return start_anew(network, flags.seed);
  const ImportPlan plan = start_from(*open_checkpoint(flags.pretrained, {.max_bytes = flags.network.max_bytes}),
                                     network, {.replace_unfit_head = true}, flags.seed);
  const bool new_head = std::any_of(plan.kept.begin(), plan.kept.end(),
                                    [](const std::string& name) { return !name.ends_with("num_batches_tracked"); });
  log_info("graft: {} tensors from {}{}", plan.tensors.size(), flags.pretrained,
           new_head ? "; the head starts anew" : "");
}

/// How well a network does: accuracies, or what multi-label data have in their place.
std::string scores(const EpochRow& row) {
  if (row.eval_auroc.labels.empty()) return fmt::format("top-1 {:.4f}, top-5 {:.4f}", row.eval_top1, row.eval_top5);
  return row.eval_auroc.mean ? fmt::format("AUROC {:.4f}", *row.eval_auroc.mean) : std::string("no AUROC");
}

void print_row(const EpochRow& row, std::int64_t epochs, double images_per_second) {
  fmt::print("epoch {}/{}: loss {:.4f}, lr {:.4g}, test loss {:.4f}, {}, {:.0f} images/s\n", row.epoch + 1, epochs,
             row.train_loss, row.lr, row.eval_loss, scores(row), images_per_second);
  std::fflush(stdout);
}

/// Refuses to mix two trainings in one folder; with --resume takes the arguments from it.
void settle_arguments(CLI::App& command, TrainFlags& flags, const fs::path& folder) {
  const fs::path arguments = folder / "args.yaml";
  if (flags.resume) {
    if (!fs::exists(arguments)) {
      fail(ErrorKind::usage, "--resume: {} holds no training; name its folder with --output", folder.string());
    }
    restore_arguments(command, arguments);
  } else if (holds_training_session(folder)) {
    fail(ErrorKind::usage, "{} holds a training already: go on with --resume, or choose another --output",
         folder.string());
  }
}

/// What was decided in place of flags that were not given.
std::map<std::string, std::string> used_arguments(const TrainingSessionOptions& options, const TrainFlags& flags) {
  std::map<std::string, std::string> used = augment_arguments(options.augment, flags.augment);
  used["loss"] = options.binary_loss ? "bce" : "cross-entropy";
  return used;
}

int train(CLI::App& command, TrainFlags& flags) {
  const fs::path folder = output_folder(flags);
  settle_arguments(command, flags, folder);
  const auto backend =
      backend_registry().make(flags.network.device.name, backend_options(flags.network.device, flags.network.threads));
  TrainingSettings& training = flags.training;
  training.amp = flags.network.amp;
  training.batch_size = flags.network.batch_size;
  check_amp(training, *backend);
  const NetworkAndData opened =
      open_network(flags.network, *backend, {.dropout = flags.dropout, .drop_path = flags.drop_path});
  if (opened.binary_loss && training.label_smoothing > 0.0) {
    fail(ErrorKind::usage, "--smoothing {}: there is none of binary cross-entropy", training.label_smoothing);
  }
  const std::int64_t steps = opened.data.train->size() / training.batch_size;
  training.warmup_steps = static_cast<std::int64_t>(flags.warmup_epochs * static_cast<double>(steps));
  give_values(flags, *opened.network);
  TrainingSessionOptions options{
      .training = training,
      .augment = augment_options(flags.augment, opened.transformed),
      .binary_loss = opened.binary_loss,
      .seed = flags.seed,
      .frozen_stages =
          flags.freeze_until.empty() ? 0 : stages_until(*opened.network, "--freeze-until", flags.freeze_until),
      .bn_policy = batch_norm_policy_from_name(flags.bn_policy),
      .metadata = {{"model", flags.network.model},
                   {"dataset", flags.network.dataset},
                   {"classes", nlohmann::json(opened.data.train->class_names()).dump()}},
      .folder = folder,
      .loader_threads = flags.network.workers,
      .stop = &catch_interrupts()};
  if (opened.binary_loss) options.metadata[kActivation] = kSigmoid;
  TrainingSession session(options, opened.data, opened.network, *backend);
  if (flags.resume && holds_training_session(folder)) {
    session.resume();
  } else {
    write_text_atomically(folder / "args.yaml", arguments_yaml(command, used_arguments(options, flags)));
  }
  const auto images = static_cast<double>(steps * training.batch_size);
  session.run([&](const EpochRow& row, double seconds) { print_row(row, training.epochs, images / seconds); });
  const EpochRow* best = best_row(session.rows());
  fmt::print("{}: best in epoch {}: {}\n", folder.string(), best->epoch + 1, scores(*best));
  return 0;
}

}  // namespace

void add_train(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("train", "train one network on a data set");
  auto flags = std::make_shared<TrainFlags>();
  add_train_flags(*command, *flags);
  command->callback(
      [&context, flags, command] { context.chosen = [flags, command] { return train(*command, *flags); }; });
}

}  // namespace graft
