#include "transfer/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datasets/dataset.h"
#include "engine/base/error.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const ManifestSplit& split) {
  return {{"name", split.name}, {"source", split.source}, {"target", split.target}, {"sha256", split.sha256}};
}

ManifestSplit split_from_json(const Json& json) {
  return {json.at("name"), json.at("source"), json.at("target"), json.at("sha256")};
}

std::vector<std::string> names_of(const std::vector<std::int64_t>& classes, const std::vector<std::string>& names) {
  std::vector<std::string> chosen;
  chosen.reserve(classes.size());
  for (const std::int64_t index : classes) chosen.push_back(names.at(static_cast<std::size_t>(index)));
  return chosen;
}

Manifest from_json(const Json& json) {
  Manifest m;
  json.at("study").get_to(m.study);
  json.at("study_sha256").get_to(m.study_sha256);
  json.at("dataset").get_to(m.dataset);
  json.at("data").get_to(m.data);
  if (json.contains("licenses")) json.at("licenses").get_to(m.licenses);
  json.at("stages").get_to(m.stages);
  for (const Json& split : json.at("splits")) m.splits.push_back(split_from_json(split));
  json.at("seeds").get_to(m.seeds);
  json.at("weights").get_to(m.weights);
  for (const Json& binary : json.at("binaries")) m.binaries.push_back({binary.at("sha256"), binary.at("versions")});
  json.at("device_kind").get_to(m.device_kind);
  json.at("device_name").get_to(m.device_name);
  json.at("threads").get_to(m.threads);
  json.at("jobs").get_to(m.jobs);
  if (json.contains("reference")) {
    const Json& r = json.at("reference");
    m.reference = {r.at("file"), r.at("source"), r.at("splits"), r.at("sha256")};
  }
  if (json.contains("subgroups")) {
    const Json& s = json.at("subgroups");
    m.subgroups = {s.at("file"), s.at("names"), s.at("sha256")};
  }
  json.at("command_lines").get_to(m.command_lines);
  return m;
}

}  // namespace

std::vector<ManifestSplit> manifest_splits(const Plan& plan, const std::vector<std::string>& source_names,
                                           const std::vector<std::string>& target_names) {
  std::vector<ManifestSplit> splits;
  for (const Split& split : plan.splits) {
    ManifestSplit named{split.name, names_of(split.source, source_names), names_of(split.target, target_names), ""};
    named.sha256 = sha256_hex(Json{{"source", named.source}, {"target", named.target}}.dump());
    splits.push_back(std::move(named));
  }
  return splits;
}

std::map<std::string, std::string> licenses_of(const Study& study) {
  const auto stated = [](const std::string& license) -> std::string {
    return license.empty() ? "not stated" : license;
  };
  const auto known = [&](const std::string& dataset) {
    for (const DatasetEntry& entry : dataset_entries()) {
      if (entry.name == dataset) return stated(entry.license);
    }
    return stated("");
  };
  std::map<std::string, std::string> licenses{{"data", study.license.empty() ? known(study.dataset) : study.license}};
  if (!study.source_dataset.empty()) licenses["source_data"] = known(study.source_dataset);
  if (!study.source_checkpoint.empty()) licenses["source_weights"] = stated(study.source_license);
  return licenses;
}

void add_binary(Manifest& manifest, const ManifestBinary& binary) {
  std::erase_if(manifest.binaries, [&](const ManifestBinary& known) { return known.sha256 == binary.sha256; });
  manifest.binaries.push_back(binary);
}

std::string manifest_to_json(const Manifest& m) {
  Json splits = Json::array();
  for (const ManifestSplit& split : m.splits) splits.push_back(to_json(split));
  Json binaries = Json::array();
  for (const auto& [sha256, versions] : m.binaries) binaries.push_back({{"sha256", sha256}, {"versions", versions}});
  Json json{{"study", m.study},
            {"study_sha256", m.study_sha256},
            {"dataset", m.dataset},
            {"data", m.data},
            {"licenses", m.licenses},
            {"stages", m.stages},
            {"splits", splits},
            {"seeds", m.seeds},
            {"weights", m.weights},
            {"binaries", binaries},
            {"device_kind", m.device_kind},
            {"device_name", m.device_name},
            {"threads", m.threads},
            {"jobs", m.jobs},
            {"command_lines", m.command_lines}};
  if (m.reference) {
    json["reference"] = {{"file", m.reference->file},
                         {"source", m.reference->source},
                         {"splits", m.reference->splits},
                         {"sha256", m.reference->sha256}};
  }
  if (m.subgroups) {
    json["subgroups"] = {{"file", m.subgroups->file}, {"names", m.subgroups->names}, {"sha256", m.subgroups->sha256}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Manifest manifest_from_json(const std::string& text, const std::string& where) {
  try {
    return from_json(Json::parse(text));
  } catch (const Json::exception& error) {
    fail(ErrorKind::data, "{}: no manifest of a study ({}): run the study again to write it anew", where, error.what());
  }
}

Manifest read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "manifest.json";
  if (!std::filesystem::exists(path)) {
    fail(ErrorKind::data, "{}: missing: not a results folder, or its study has not been run", path.string());
  }
  return manifest_from_json(read_text(path), path.string());
}

void write_manifest(const std::filesystem::path& folder, const Manifest& manifest) {
  write_text_atomically(folder / "manifest.json", manifest_to_json(manifest));
}

}  // namespace graft
