#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>

#include "datasets/dataset.h"
#include "engine/backend/registry.h"
#include "engine/base/error.h"
#include "models/backbone.h"
#include "tools/backends.h"
#include "tools/command.h"
#include "transfer/text_table.h"

// `graft devices`, `models`, `datasets` and `version`: what is here, one line each.
namespace graft {
namespace {

using Json = nlohmann::ordered_json;

/// A list of objects with the same keys, as aligned columns or as JSON. Lists within a cell are joined by commas.
void print(const Json& rows, bool json) {
  if (json) {
    fmt::print("{}\n", rows.dump(2));
    return;
  }
  if (rows.empty()) return;
  std::vector<TextTable::Column> columns;
  for (const auto& [key, value] : rows.front().items()) columns.push_back({.heading = key});
  TextTable table(columns);
  for (const Json& row : rows) {
    std::vector<std::string> cells;
    for (const auto& [key, value] : row.items()) {
      std::string cell = value.is_string() ? value.get<std::string>() : value.is_array() ? "" : value.dump();
      if (value.is_array()) {
        for (const Json& part : value) cell += (cell.empty() ? "" : ", ") + part.get<std::string>();
      }
      cells.push_back(cell);
    }
    table.add(cells);
  }
  fmt::print("{}", table.text());
}

Json describe(const BackendKind& kind) {
  Json row{{"device", kind.name}, {"kind", ""}, {"threads", 0}, {"dtypes", Json::array()}, {"about", kind.description}};
  try {
    const std::unique_ptr<Backend> backend = kind.make({});
    row["kind"] = backend->device_kind();
    row["threads"] = backend->threads();
    for (const DType dtype : {DType::f32, DType::bf16, DType::f64}) {
      if (backend->supports(dtype)) row["dtypes"].push_back(std::string(name_of(dtype)));
    }
  } catch (const Error& error) {
    row["about"] = error.what();
  }
  return row;
}

Json devices() {
  Json rows = Json::array();
  for (const BackendKind& kind : backend_registry().kinds()) {
    rows.push_back(describe(kind));
    if (kind.name == "cpu") rows.back()["about"] = kind.description + ": " + processor_name();
  }
  return rows;
}

/// Numbers as people write them: "0.485 0.456 0.406".
std::string short_numbers(const std::array<double, 3>& values) {
  return fmt::format("{:.5g} {:.5g} {:.5g}", values[0], values[1], values[2]);
}

/// How images are prepared for published weights, in timm's terms.
Json describe(const ImageConfig& image, const std::string& weights, std::int64_t channels) {
  return {{"weights", weights},
          {"input", {channels, image.size, image.size}},
          {"interpolation", image.interpolation},
          {"crop_pct", image.crop_pct},
          {"mean", image.mean},
          {"std", image.std}};
}

/// Size, stages and published weights of a network as its registry entry makes it by default.
Json describe(const BackboneEntry& entry, Backend& backend, CutPlaces places) {
  BackboneOptions options = entry.defaults;
  options.cuts = places;
  const std::shared_ptr<Backbone> network = make_backbone(entry.name, backend, options);
  std::int64_t parameters = 0;
  for (const NamedVariable& parameter : network->parameters()) parameters += parameter.variable.value().numel();
  Json stages = Json::array();
  for (const Backbone::Stage& stage : network->stages()) stages.push_back(stage.name);
  Json weights = Json::array();
  for (const PublishedWeights& published : entry.weights) {
    weights.push_back(
        describe(published.image, fmt::format("{}.{}", entry.name, published.tag), entry.defaults.in_channels));
  }
  return {{"model", entry.name},
          {"parameters", parameters},
          {"input", {entry.defaults.in_channels, entry.defaults.height, entry.defaults.width}},
          {"classes", entry.defaults.classes},
          {"multi_label", entry.multi_label},
          {"about", entry.description},
          {name_of(places), stages},
          {"weights", weights}};
}

/// All models, or the one named so. Throws Error(usage) for another name.
Json models(const std::string& name, CutPlaces places) {
  const auto backend = backend_registry().make("cpu", {.threads = 1});
  Json rows = Json::array();
  if (!name.empty()) {
    rows.push_back(describe(find_backbone(name), *backend, places));
    return rows;
  }
  for (const BackboneEntry& entry : backbones()) rows.push_back(describe(entry, *backend, places));
  return rows;
}

/// A line a model, with the tags of its published weights.
Json model_lines(const Json& models, CutPlaces places) {
  Json rows = Json::array();
  for (const Json& model : models) {
    const auto& input = model["input"];
    Json tags = Json::array();
    for (const Json& weights : model["weights"]) {
      const auto name = weights["weights"].get<std::string>();
      tags.push_back(name.substr(name.find('.') + 1));
    }
    rows.push_back({{"model", model["model"]},
                    {"parameters", fmt::format("{:.2f} M", model["parameters"].get<double>() * 1e-6)},
                    {"input", fmt::format("{}x{}x{}", input[1].get<int>(), input[2].get<int>(), input[0].get<int>())},
                    {"about", model["about"]},
                    {"weights", tags},
                    {name_of(places), model[name_of(places)]}});
  }
  return rows;
}

/// A line for each of a model's published weights.
Json weight_lines(const Json& model) {
  Json rows = Json::array();
  for (Json weights : model["weights"]) {
    const auto& input = weights["input"];
    weights["input"] = fmt::format("{}x{}x{}", input[1].get<int>(), input[2].get<int>(), input[0].get<int>());
    weights["crop_pct"] = fmt::format("{:.4g}", weights["crop_pct"].get<double>());
    for (const char* key : {"mean", "std"}) weights[key] = short_numbers(weights[key].get<std::array<double, 3>>());
    rows.push_back(weights);
  }
  return rows;
}

Json datasets(const std::string& data_dir) {
  Json rows = Json::array();
  for (const DatasetEntry& entry : dataset_entries()) {
    Json row{{"dataset", entry.name}, {"here", "yes"}, {"about", entry.description}};
    try {
      const DatasetPair pair = open_dataset(entry.name, data_dir);
      row["here"] = fmt::format("{} train, {} test, {} classes", pair.train->size(), pair.test->size(),
                                pair.train->class_names().size());
    } catch (const Error&) {
      row["here"] = "no: " + entry.remedy;
    }
    rows.push_back(row);
  }
  return rows;
}

/// A subcommand without flags but --json.
CLI::App* add_listing(CLI::App& app, CommandContext& context, const char* name, const char* about,
                      std::function<Json()> rows) {
  CLI::App* command = app.add_subcommand(name, about);
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "print JSON");
  command->callback([&context, json, rows = std::move(rows)] {
    context.chosen = [json, rows] {
      print(rows(), *json);
      return 0;
    };
  });
  return command;
}

}  // namespace

void add_devices(CLI::App& app, CommandContext& context) {
  add_listing(app, context, "devices", "the devices that can compute here", devices);
}

void add_models(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("models", "the backbones, with their stages and published weights");
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command->add_option("NAME", *name, "one model: also how images are prepared for each of its published weights");
  auto blocks = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "print JSON, all of it");
  command->add_flag("--blocks", *blocks, "name every block, where a study may cut with cuts_at: blocks");
  command->callback([&context, name, json, blocks] {
    context.chosen = [name, json, blocks] {
      const CutPlaces places = *blocks ? CutPlaces::blocks : CutPlaces::stages;
      const Json rows = models(*name, places);
      print(*json ? rows : model_lines(rows, places), *json);
      if (*json || name->empty() || rows.front()["weights"].empty()) return 0;
      fmt::print("\n");
      print(weight_lines(rows.front()), false);
      return 0;
    };
  });
}

void add_datasets(CLI::App& app, CommandContext& context) {
  auto data_dir = std::make_shared<std::string>();
  CLI::App* command = add_listing(app, context, "datasets", "the data sets, and whether they are here",
                                  [data_dir] { return datasets(*data_dir); });
  command->add_option("--data-dir", *data_dir, "folder of the data set's files");
}

void add_version(CLI::App& app, CommandContext& context) {
  add_listing(app, context, "version", "versions of graft and of the libraries it uses", [] {
    Json rows = Json::array();
    for (const auto& [name, version] : library_versions()) rows.push_back({{"name", name}, {"version", version}});
    return rows;
  });
}

}  // namespace graft
