#include "transfer/search_record.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/log.h"
#include "engine/io/sha256.h"
#include "transfer/folder_error.h"

namespace graft {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFile = "search.jsonl";

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// The line with its own hash, see fault_of_line.
std::string sealed(const std::string& json) {
  std::string line = json;
  line.back() = ',';
  return line + "\"sha256\":\"" + sha256_hex(json) + "\"}";
}

SearchStage stage_from_name(const std::string& name, const std::string& where) {
  for (const SearchStage stage : {SearchStage::source, SearchStage::rung, SearchStage::decision}) {
    if (name == name_of(stage)) return stage;
  }
  fail(ErrorKind::data, "{}: stage is '{}', expected source, rung or held-out", where, name);
}

Json to_json(const Evaluation& e) {
  Json json{{"kind", "evaluation"}, {"id", e.id}, {"stage", name_of(e.stage)}};
  if (e.stage == SearchStage::rung) json["rung"] = e.rung;
  json.update({{"arm", e.arm},
               {"treatment", e.treatment},
               {"cut", e.cut},
               {"split", e.split},
               {"seed", e.seed},
               {"epochs", e.epochs},
               {"train_loss", e.train_loss},
               {"correct", e.correct},
               {"n", e.n},
               {"top1", e.top1()},
               {"classes", e.classes},
               {"status", e.status},
               {"error", e.error},
               {"weights", e.weights},
               {"binary", e.binary},
               {"seconds", e.seconds},
               {"used", e.used}});
  if (!e.choices.empty()) json["choices"] = e.choices;
  return json;
}

Evaluation evaluation_from(const Json& json, const std::string& where) {
  Evaluation e;
  json.at("id").get_to(e.id);
  e.stage = stage_from_name(json.at("stage").get<std::string>(), where);
  e.rung = json.value("rung", 0);
  json.at("arm").get_to(e.arm);
  json.at("treatment").get_to(e.treatment);
  json.at("cut").get_to(e.cut);
  json.at("split").get_to(e.split);
  json.at("seed").get_to(e.seed);
  json.at("epochs").get_to(e.epochs);
  const Json& loss = json.at("train_loss");
  e.train_loss = loss.is_null() ? std::numeric_limits<double>::quiet_NaN() : loss.get<double>();
  json.at("correct").get_to(e.correct);
  json.at("n").get_to(e.n);
  json.at("classes").get_to(e.classes);
  json.at("status").get_to(e.status);
  json.at("error").get_to(e.error);
  json.at("weights").get_to(e.weights);
  json.at("binary").get_to(e.binary);
  json.at("seconds").get_to(e.seconds);
  json.at("used").get_to(e.used);
  if (json.contains("choices")) json.at("choices").get_to(e.choices);
  return e;
}

Json to_json(const SearchStop& s) {
  return {{"kind", "stop"},     {"rung", s.rung},         {"candidates", s.candidates},
          {"length", s.length}, {"estimate", s.estimate}, {"reserve", s.reserve},
          {"used", s.used},     {"budget", s.budget}};
}

SearchStop stop_from(const Json& json) {
  return {.rung = json.at("rung"),
          .candidates = json.at("candidates"),
          .length = json.at("length"),
          .estimate = json.at("estimate"),
          .reserve = json.at("reserve"),
          .used = json.at("used"),
          .budget = json.at("budget")};
}

std::map<std::string, std::string> settings_from(const Json& json) {
  std::map<std::string, std::string> settings;
  for (const auto& [key, value] : json.items()) {
    if (key != "kind" && key != "sha256") settings[key] = value.get<std::string>();
  }
  return settings;
}

void check_settings(const std::map<std::string, std::string>& there, const SearchSettings& here,
                    const std::string& where) {
  for (const auto& [key, value] : here) {
    const auto before = there.find(key);
    if (before != there.end() && before->second == value) continue;
    fail(ErrorKind::data, "{}: this search was begun with {} {}, now it is {}; give another folder with --output",
         where, key, before == there.end() || before->second.empty() ? "unknown" : before->second, value);
  }
}

}  // namespace

const char* name_of(SearchStage stage) {
  switch (stage) {
    case SearchStage::source:
      return "source";
    case SearchStage::rung:
      return "rung";
    case SearchStage::decision:
      break;
  }
  return "held-out";
}

std::string Evaluation::untrained() const {
  if (!ok()) return "";
  return stage == SearchStage::rung ? is_chance(top1(), n, classes) : did_not_train(train_loss, top1(), n, classes);
}

Evaluation evaluation_of(const RunResult& result, SearchStage stage, int rung) {
  Evaluation e{.id = result.id,
               .stage = stage,
               .rung = rung,
               .arm = result.cut > 0 ? fmt::format("{} at cut {}", label_of(result), result.cut) : label_of(result),
               .treatment = label_of(result),
               .cut = result.cut,
               .split = result.split,
               .seed = result.seed,
               .epochs = result.epoch,
               .train_loss = result.train_loss,
               .correct = result.correct,
               .n = result.n_test,
               .classes = result.classes,
               .status = result.status,
               .error = result.error,
               .weights = {},
               .binary = result.binary,
               .choices = result.choices,
               .seconds = result.seconds};
  const auto weights = result.files.find("checkpoint.safetensors");
  if (weights != result.files.end()) e.weights = weights->second;
  return e;
}

bool holds_search(const fs::path& folder) {
  std::error_code none;
  const auto size = fs::file_size(folder / kFile, none);
  return !none && size > 0;
}

SearchLines read_search(const fs::path& folder) {
  const fs::path file = folder / kFile;
  SearchLines there;
  std::istringstream text(read_text(file));
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    const std::string where = fmt::format("{}:{}", file.string(), ++number);
    const std::string problem = fault_of_line(line);
    if (!problem.empty()) fail(ErrorKind::data, "{}: the line {}; give another folder with --output", where, problem);
    try {
      const Json json = Json::parse(line);
      const std::string kind = json.at("kind");
      if ((number == 1) != (kind == "search")) fail(ErrorKind::data, "{}: is no line of a search", where);
      if (kind == "search") there.settings = settings_from(json);
      if (kind == "evaluation") there.evaluations[json.at("id")] = evaluation_from(json, where);
      if (kind == "stop") there.stop = stop_from(json);
      there.concluded = there.concluded || kind == "recommendation";
      if (json.contains("used")) there.used = json.at("used");
    } catch (const Json::exception& error) {
      fail(ErrorKind::data, "{}: is no line of a search ({}); give another folder with --output", where, error.what());
    }
  }
  return there;
}

SearchRecord::SearchRecord(const fs::path& folder, SearchSettings settings)
    : settings_(std::move(settings)), lines_(folder / kFile) {
  if (lines_.repaired()) log_warning("{}: cut off an unfinished last line", (folder / kFile).string());
  there_ = read_search(folder);
  if (!there_.settings.empty()) check_settings(there_.settings, settings_, (folder / kFile).string() + ":1");
}

const Evaluation* SearchRecord::find(const std::string& id) const {
  const auto found = there_.evaluations.find(id);
  return found == there_.evaluations.end() ? nullptr : &found->second;
}

void SearchRecord::append(const std::string& json) {
  writing_to_folder([&] {
    if (there_.settings.empty()) {
      Json first{{"kind", "search"}};
      for (const auto& [key, value] : settings_) first[key] = value;
      lines_.append(sealed(text_of(first)));
      there_.settings.insert(settings_.begin(), settings_.end());
    }
    lines_.append(sealed(json));
  });
}

void SearchRecord::add(const Evaluation& evaluation) {
  append(text_of(to_json(evaluation)));
  there_.evaluations[evaluation.id] = evaluation;
  there_.used = evaluation.used;
}

void SearchRecord::add(const SearchStop& stop) {
  append(text_of(to_json(stop)));
  there_.stop = stop;
  there_.used = stop.used;
}

void SearchRecord::conclude(const std::string& json) {
  if (!there_.concluded) append(json);
  there_.concluded = true;
}

}  // namespace graft
