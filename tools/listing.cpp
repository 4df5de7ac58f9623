#include <fmt/core.h>

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

/// Stages and size of a network as its registry entry makes it by default.
Json models() {
  Json rows = Json::array();
  const std::unique_ptr<Backend> backend = backend_registry().make("cpu", {.threads = 1});
  for (const BackboneEntry& entry : backbones()) {
    const std::shared_ptr<Backbone> network = entry.make(*backend, entry.defaults);
    double parameters = 0.0;
    for (const NamedVariable& parameter : network->parameters()) {
      parameters += static_cast<double>(parameter.variable.value().numel());
    }
    Json stages = Json::array();
    for (const Backbone::Stage& stage : network->stages()) stages.push_back(stage.name);
    rows.push_back(
        {{"model", entry.name},
         {"parameters", fmt::format("{:.2f} M", parameters * 1e-6)},
         {"input", fmt::format("{}x{}x{}", entry.defaults.height, entry.defaults.width, entry.defaults.in_channels)},
         {"about", entry.description},
         {"stages", stages}});
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
  add_listing(app, context, "models", "the backbones, with the stages after which each can be cut", models);
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
