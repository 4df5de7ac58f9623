#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "engine/io/checkpoint.h"
#include "engine/io/file.h"
#include "models/pretrained.h"
#include "tools/command.h"
#include "tools/json_value.h"
#include "tools/train_flags.h"
#include "transfer/comparison.h"
#include "transfer/run_network.h"
#include "transfer/text_table.h"
#include "transfer/trainer.h"

// `graft compare`: what became of a network between two checkpoints.
namespace graft {
namespace {

using Json = nlohmann::ordered_json;

struct CompareFlags {
  NetworkFlags network;
  std::string first;
  std::string second;
  std::string split = "test";
  std::string batch_norm = "estimate";
  std::int64_t steps = 10;
  std::int64_t statistics_images = 2048;
  std::string output;
  bool json = false;
};

struct Version {
  std::shared_ptr<Backbone> network;
  std::int64_t classes = 0;
};

/// The network with a head of as many classes as the checkpoint's.
Version load_version(const CompareFlags& flags, const std::string& file, const Dataset& data, Backend& backend) {
  const auto checkpoint = open_checkpoint(file, {.max_bytes = flags.network.max_bytes});
  const auto of_data = static_cast<std::int64_t>(data.class_names().size());
  const auto make = [&](std::int64_t classes) {
    BackboneOptions options = backbone_options(data, classes);
    options.dropout = 0.0;
    return make_backbone(flags.network.model, backend, options);
  };
  Version version{make(of_data), of_data};
  const std::optional<std::int64_t> classes = classes_in(*checkpoint, *version.network);
  if (classes && *classes != of_data) version = {make(*classes), *classes};
  start_from(*checkpoint, *version.network);
  return version;
}

LoaderOptions loader_options(const CompareFlags& flags, const DatasetPair& data) {
  return {.batch_size = flags.network.batch_size,
          .pad_last = true,
          .role = "compare",
          .threads = flags.network.workers,
          .dtype = compute_dtype(flags.network.amp),
          .mean = data.mean,
          .deviation = data.deviation};
}

struct Comparison {
  PassComparison pass;
  WeightDistance all;
  std::vector<BarrierPoint> line;
  std::string refused;  ///< why there is no churn and no line
};

std::string refusal_of(const CompareFlags& flags, const Version& a, const Version& b, const Dataset& data) {
  if (a.classes != b.classes) {
    return fmt::format("{} tells {} classes apart, {} {}", flags.first, a.classes, flags.second, b.classes);
  }
  const auto classes = static_cast<std::int64_t>(data.class_names().size());
  if (a.classes >= classes) return "";
  return fmt::format("the networks tell {} classes apart, {} has {}", a.classes, flags.network.dataset, classes);
}

Comparison compare_versions(const CompareFlags& flags, const NetworkAndData& opened, Backend& backend) {
  const DatasetPair& data = opened.data;
  const DatasetPtr& images = flags.split == "train" ? data.train : data.test;
  const Version a = load_version(flags, flags.first, *data.train, backend);
  const Version b = load_version(flags, flags.second, *data.train, backend);
  Comparison result;
  result.refused = refusal_of(flags, a, b, *data.train);
  // Image folders are sorted by class: a batch of neighbours would show what a class has in common.
  LoaderOptions mixed = loader_options(flags, data);
  mixed.shuffle = true;
  Loader pass(images, backend, mixed);
  result.pass = compare_on_images(*a.network, *b.network, backend, pass);
  if (!result.refused.empty()) {
    result.pass.churn.reset();
    return result;
  }
  result.all = weight_distance(a.network->parameters(), b.network->parameters());
  const Version middle = load_version(flags, flags.first, *data.train, backend);
  mixed.pad_last = false;
  mixed.drop_last = true;
  mixed.batch_size = std::min(mixed.batch_size, data.train->size());
  Loader train(data.train, backend, mixed);
  Loader test(images, backend, loader_options(flags, data));
  result.line =
      loss_on_line(*a.network, *b.network, *middle.network, backend, test, train,
                   {.steps = flags.steps,
                    .estimate_statistics = flags.batch_norm == "estimate",
                    .statistics_batches = (flags.statistics_images + mixed.batch_size - 1) / mixed.batch_size});
  return result;
}

Json json_of(const WeightDistance& distance) {
  return {{"parameters", distance.parameters},
          {"l2", distance.l2},
          {"relative", or_null(distance.relative)},
          {"cosine", or_null(distance.cosine)}};
}

Json json_of(const Churn& churn) {
  return {{"images", churn.images},
          {"changed", churn.changed()},
          {"both_right", churn.both_right},
          {"only_first_right", churn.only_first},
          {"only_second_right", churn.only_second},
          {"both_wrong_alike", churn.both_wrong_alike},
          {"both_wrong_apart", churn.both_wrong_apart},
          {"mcnemar_mid_p", churn.mcnemar_mid_p()}};
}

std::string json_text(const CompareFlags& flags, const Comparison& result) {
  Json json{{"model", flags.network.model},     {"first", flags.first}, {"second", flags.second},
            {"dataset", flags.network.dataset}, {"split", flags.split}, {"batch_size", flags.network.batch_size}};
  json["stages"] = Json::array();
  for (const StageComparison& stage : result.pass.stages) {
    json["stages"].push_back({{"stage", stage.name}, {"cka", or_null(stage.cka)}, {"weights", json_of(stage.weights)}});
  }
  json["refused"] = result.refused.empty() ? Json(nullptr) : Json(result.refused);
  json["weights"] = result.refused.empty() ? json_of(result.all) : Json(nullptr);
  json["churn"] = result.pass.churn ? json_of(*result.pass.churn) : Json(nullptr);
  json["batch_norm"] = flags.batch_norm;
  json["line"] = Json::array();
  for (const BarrierPoint& point : result.line) {
    json["line"].push_back({{"t", point.t}, {"loss", point.loss}, {"accuracy", point.accuracy}});
  }
  json["barrier"] = result.line.empty() ? Json(nullptr) : Json(barrier_height(result.line));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string number(const std::optional<double>& value) { return value ? fmt::format("{:.4f}", *value) : "-"; }

std::vector<std::string> distance_cells(const WeightDistance& distance) {
  return {std::to_string(distance.parameters), fmt::format("{:.4g}", distance.l2), number(distance.relative),
          number(distance.cosine)};
}

std::string stages_text(const Comparison& result) {
  TextTable table({{"stage"},
                   {"CKA", Align::right},
                   {"parameters", Align::right},
                   {"L2 distance", Align::right},
                   {"relative", Align::right},
                   {"cosine", Align::right}});
  const auto add = [&](const std::string& name, const std::string& cka, const WeightDistance& distance) {
    std::vector<std::string> cells{name, cka};
    for (std::string& cell : distance_cells(distance)) cells.push_back(std::move(cell));
    table.add(cells);
  };
  for (const StageComparison& stage : result.pass.stages) add(stage.name, number(stage.cka), stage.weights);
  if (result.refused.empty()) add("all, with the head", "", result.all);
  return table.text();
}

std::string churn_text(const Churn& churn) {
  const auto share = [&](std::int64_t count) {
    return fmt::format("{} ({:.2f}%)", count, 100.0 * static_cast<double>(count) / static_cast<double>(churn.images));
  };
  return fmt::format(
      "\nanswers changed on {} of {} images\n  right before and after     {}\n  right before alone         {}\n"
      "  right after alone          {}\n  wrong, the same answer     {}\n  wrong, another answer      {}\n"
      "McNemar's test that both are right equally often: mid-p {}\n",
      share(churn.changed()), churn.images, share(churn.both_right), share(churn.only_first), share(churn.only_second),
      share(churn.both_wrong_alike), share(churn.both_wrong_apart),
      churn.mcnemar_mid_p() < 0.0001 ? "below 0.0001" : fmt::format("{:.4f}", churn.mcnemar_mid_p()));
}

std::string line_text(const CompareFlags& flags, const Comparison& result) {
  TextTable table({{"t", Align::right}, {"loss", Align::right}, {"top-1", Align::right}});
  for (const BarrierPoint& point : result.line) {
    table.add(
        {fmt::format("{:.2f}", point.t), fmt::format("{:.4f}", point.loss), fmt::format("{:.4f}", point.accuracy)});
  }
  return fmt::format(
      "\non the straight line, (1 - t) first + t second; running statistics between the ends: {}\n{}"
      "loss barrier {:.4f} nats\n",
      flags.batch_norm == "estimate" ? "estimated anew on training images" : "interpolated", table.text(),
      barrier_height(result.line));
}

std::string text_of(const CompareFlags& flags, const Comparison& result) {
  std::string text = fmt::format("{}: {} and {} on {} images of {}\n\n{}", flags.network.model, flags.first,
                                 flags.second, flags.split, flags.network.dataset, stages_text(result));
  if (!result.refused.empty()) {
    return text + fmt::format("\nno churn, no loss barrier, no distance of heads: {}\n", result.refused);
  }
  return text + churn_text(*result.pass.churn) + line_text(flags, result);
}

int compare(const CompareFlags& flags) {
  const NetworkFlags& common = flags.network;
  const auto backend = backend_registry().make(common.device.name, backend_options(common.device, common.threads));
  check_amp(common.amp, *backend);
  const NetworkAndData opened = open_network(common, *backend);
  if (opened.binary_loss) {
    fail(ErrorKind::usage, "--loss bce: graft compare takes networks that choose one class an image");
  }
  const Comparison result = compare_versions(flags, opened, *backend);
  const std::string json = flags.json || !flags.output.empty() ? json_text(flags, result) : "";
  if (!flags.output.empty()) write_text_atomically(flags.output, json);
  fmt::print("{}", flags.json ? json : text_of(flags, result));
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("compare", "two checkpoints of one architecture: what changed, and where");
  auto flags = std::make_shared<CompareFlags>();
  command->add_option("FIRST", flags->first, "a checkpoint")->required();
  command->add_option("SECOND", flags->second, "a later one, or another training's")->required();
  add_network_flags(*command, flags->network);
  command->add_option("--split", flags->split, "which part of the data set")->check(CLI::IsMember({"test", "train"}));
  command->add_option("--steps", flags->steps, "of the line between both")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--batch-norm", flags->batch_norm,
                   "running statistics between both: estimate (on training images) or interpolate")
      ->check(CLI::IsMember({"estimate", "interpolate"}))
      ->capture_default_str();
  command->add_option("--statistics-images", flags->statistics_images, "training images that they are estimated on")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("-o,--output", flags->output, "also write JSON to this file");
  command->add_flag("--json", flags->json, "print JSON");
  command->callback([&context, flags] { context.chosen = [flags] { return compare(*flags); }; });
}

}  // namespace graft
