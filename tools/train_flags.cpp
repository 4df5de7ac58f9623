#include "tools/train_flags.h"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <vector>

#include "engine/base/error.h"
#include "tools/max_bytes_flag.h"
#include "transfer/run_network.h"

namespace graft {
namespace {

const std::set<std::string> kNotArguments{"help", "resume", "output"};
const std::set<std::string> kWithoutEffect{"data-dir", "workers"};

/// The long name of a flag: "batch-size".
std::string name_of_option(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string() : option.get_lnames().front();
}

bool is_argument(const CLI::Option& option) {
  const std::string name = name_of_option(option);
  return !name.empty() && !kNotArguments.contains(name);
}

bool is_switch(const CLI::Option& option) { return option.get_expected_max() == 0; }

/// A flag's value where it is not given, as one text; of no values "".
std::string default_of(const CLI::Option& option) {
  if (is_switch(option)) return "false";
  return option.get_default_str() == "[]" ? std::string() : option.get_default_str();
}

std::string value_of(const CLI::Option& option) {
  if (option.count() == 0) return default_of(option);
  return is_switch(option) ? "true" : fmt::format("{}", fmt::join(option.results(), ","));
}

/// Whether the classes are told apart one by one.
bool wants_binary_loss(const NetworkFlags& flags, const Dataset& data) {
  if (flags.loss.empty()) return data.multi_label() || find_backbone(flags.model).multi_label;
  if (flags.loss == "bce") return true;
  if (data.multi_label()) fail(ErrorKind::usage, "--loss {}: images with several labels want --loss bce", flags.loss);
  return false;
}

}  // namespace

void add_network_flags(CLI::App& command, NetworkFlags& flags) {
  command.add_option("--model", flags.model, "a name of graft models");
  command.add_option("--dataset", flags.dataset, "a name of graft datasets");
  command.add_option("--data-dir", flags.data_dir, "folder of the data set's files");
  add_max_bytes_flag(command, flags.max_bytes);
  command.add_option("--labels", flags.labels.all,
                     "a CSV file with an image's path in --data-dir and a 0 or 1 for each class a line");
  command.add_option("--val-labels", flags.labels.test, "the same of the test images; default: those in val/ or test/");
  command
      .add_option("--loss", flags.loss, "default: bce for --labels and models of several labels, else cross-entropy")
      ->check(CLI::IsMember({"cross-entropy", "bce"}));
  command.add_option("--num-classes", flags.num_classes, "of the head; default: the data set's")
      ->check(CLI::NonNegativeNumber);
  command.add_option("-b,--batch-size", flags.batch_size)->check(CLI::PositiveNumber);
  command.add_option("--amp", flags.amp, "precision of activations and products")
      ->check(CLI::IsMember({"none", "bf16"}));
  command.add_option("--workers", flags.workers, "threads that read images")->check(CLI::NonNegativeNumber);
  command.add_option("--threads", flags.threads, "0: all cores; part of what the bits depend on")
      ->check(CLI::NonNegativeNumber);
  add_device_flags(command, flags.device);
  add_image_flags(command, flags.image);
}

void add_train_flags(CLI::App& command, TrainFlags& flags) {
  command.option_defaults()->always_capture_default();
  add_network_flags(command, flags.network);
  TrainingSettings& training = flags.training;
  command.add_option("--epochs", training.epochs)->check(CLI::PositiveNumber);
  command.add_option("--opt", training.optimizer)->check(CLI::IsMember({"sgd", "adamw"}));
  command.add_option("--lr", training.lr, "learning rate")->check(CLI::PositiveNumber);
  command.add_option("--momentum", training.momentum, "of sgd")->check(CLI::Range(0.0, 1.0));
  command.add_flag("--nesterov", training.nesterov, "Nesterov's momentum");
  command.add_option("--weight-decay", training.weight_decay)->check(CLI::NonNegativeNumber);
  command.add_option("--sched", training.schedule, "course of the learning rate")
      ->check(CLI::IsMember({"constant", "step", "linear", "cosine"}));
  command.add_option("--warmup-epochs", flags.warmup_epochs, "of linear growth to --lr")->check(CLI::NonNegativeNumber);
  command.add_option("--decay-milestones", training.milestones, "epochs at which --sched step decays")->delimiter(',');
  command.add_option("--decay-rate", training.gamma, "factor of --sched step")->check(CLI::PositiveNumber);
  command.add_option("--smoothing", training.label_smoothing, "label smoothing")->check(CLI::Range(0.0, 1.0));
  command.add_option("--clip-grad", training.clip_norm, "greatest norm of all gradients; 0: none")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--drop", flags.dropout, "dropout rate of the classifier")->check(CLI::Range(0.0, 1.0));
  command.add_option("--drop-path", flags.drop_path, "stochastic depth: rate of the last residual block")
      ->check(CLI::Range(0.0, 1.0));
  add_augment_flags(command, flags.augment);
  command.add_option("--seed", flags.seed);
  command.add_option("--pretrained", flags.pretrained, "a checkpoint to start from; a head of other size starts anew");
  command.add_option("--freeze-until", flags.freeze_until, "the last stage that stays as it is (graft models)");
  command.add_option("--bn-policy", flags.bn_policy, "statistics of frozen batch norms")
      ->check(CLI::IsMember({"eval", "batch", "update"}));
  command.add_option("--output", flags.output, "results folder; default: runs/<dataset>-<model>");
  command.add_flag("--resume", flags.resume, "go on with what --output holds, with its arguments");
}

NetworkAndData open_network(const NetworkFlags& flags, Backend& backend, const DropRates& rates) {
  if (flags.model.empty()) fail(ErrorKind::usage, "--model is wanted (graft models lists them)");
  find_backbone(flags.model);  // a wrong name is said before a long reading
  if (flags.labels.all.empty() && !flags.labels.test.empty()) {
    fail(ErrorKind::usage, "--val-labels {}: --labels is wanted, too", flags.labels.test);
  }
  ImageOptions images = image_options(flags.model, flags.dataset, flags.image);
  images.max_bytes = flags.max_bytes;
  images.labels = flags.labels;
  NetworkAndData result{.data = open_dataset(flags.dataset, flags.data_dir, images),
                        .network = nullptr,
                        .transformed = images.transform.has_value()};
  const auto classes = static_cast<std::int64_t>(result.data.train->class_names().size());
  const std::int64_t outputs = flags.num_classes > 0 ? flags.num_classes : classes;
  if (outputs < classes) {
    fail(ErrorKind::usage, "--num-classes {} is less than the {} classes of {}", outputs, classes, flags.dataset);
  }
  result.binary_loss = wants_binary_loss(flags, *result.data.train);
  if (result.binary_loss && outputs > classes) {
    fail(ErrorKind::usage, "--num-classes {}: binary cross-entropy has a target for the {} classes of {} alone",
         outputs, classes, flags.dataset);
  }
  BackboneOptions options = backbone_options(*result.data.train, outputs);
  options.dropout = rates.dropout;
  options.drop_path = rates.drop_path;
  result.network = make_backbone(flags.model, backend, options);
  return result;
}

std::string arguments_yaml(const CLI::App& command, const std::map<std::string, std::string>& used) {
  YAML::Emitter out;
  out << YAML::BeginMap;
  for (const CLI::Option* option : command.get_options()) {
    if (!is_argument(*option)) continue;
    const std::string name = name_of_option(*option);
    const auto found = option->count() == 0 ? used.find(name) : used.end();
    out << YAML::Key << name << YAML::Value << (found == used.end() ? value_of(*option) : found->second);
  }
  out << YAML::EndMap;
  return fmt::format("# graft train, as started\n{}\n", out.c_str());
}

void restore_arguments(CLI::App& command, const std::filesystem::path& file) {
  YAML::Node values;
  try {
    values = YAML::LoadFile(file.string());
  } catch (const YAML::Exception& error) {
    fail(ErrorKind::data, "{}: {}", file.string(), error.what());
  }
  if (!values.IsMap()) fail(ErrorKind::data, "{}: is not a map of flags", file.string());
  for (CLI::Option* option : command.get_options()) {
    const std::string name = name_of_option(*option);
    if (!is_argument(*option) || !values[name].IsDefined()) continue;
    const auto recorded = values[name].as<std::string>("");
    if (option->count() == 0) {
      if (recorded == default_of(*option)) continue;
      try {
        option->add_result(recorded);
        option->run_callback();
      } catch (const CLI::Error&) {
        fail(ErrorKind::data, "{}: {}: '{}' is no value of --{}", file.string(), name, recorded, name);
      }
    } else if (value_of(*option) != recorded && !kWithoutEffect.contains(name)) {
      fail(ErrorKind::usage, "--{} {}: {} says {}; leave the flag out, or start in another --output", name,
           value_of(*option), file.string(), recorded);
    }
  }
}

}  // namespace graft
