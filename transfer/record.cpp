#include "transfer/record.h"

#include <fmt/format.h>
#include <algorithm>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"

namespace graft {
namespace {

using Json = nlohmann::ordered_json;  // a line reads in the order of RunResult

Json to_json(const RunResult& r) {
  Json json{{"id", r.id},
            {"treatment", r.treatment},
            {"cut", r.cut},
            {"split", r.split},
            {"source", r.source},
            {"target", r.target},
            {"seed", r.seed},
            {"top1", r.top1},
            {"correct", r.correct},
            {"n_test", r.n_test},
            {"classes", r.classes},
            {"epoch", r.epoch},
            {"train_loss", r.train_loss},  // a loss that is no number becomes null
            {"status", r.status},
            {"error", r.error},
            {"frozen_hash_before", r.frozen_hash_before},
            {"frozen_hash_after", r.frozen_hash_after},
            {"binary", r.binary},
            {"versions", r.versions},
            {"seconds", r.seconds}};
  if (!r.fine_tuning.empty()) json["fine_tuning"] = r.fine_tuning;
  if (!r.batch_norm_policy.empty()) json["batch_norm_policy"] = r.batch_norm_policy;
  if (!r.choices.empty()) json["choices"] = r.choices;
  if (!r.files.empty()) json["files"] = r.files;
  if (!r.by_class.empty()) json["by_class"] = r.by_class;
  if (!r.by_subgroup.empty()) json["by_subgroup"] = r.by_subgroup;
  return json;
}

/// One line, whatever bytes a message holds.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

double number_or_nan(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

RunResult from_json(const Json& json) {
  RunResult r;
  json.at("id").get_to(r.id);
  json.at("treatment").get_to(r.treatment);
  json.at("cut").get_to(r.cut);
  json.at("split").get_to(r.split);
  json.at("source").get_to(r.source);
  json.at("target").get_to(r.target);
  json.at("seed").get_to(r.seed);
  json.at("top1").get_to(r.top1);
  json.at("correct").get_to(r.correct);
  json.at("n_test").get_to(r.n_test);
  json.at("classes").get_to(r.classes);
  json.at("epoch").get_to(r.epoch);
  r.train_loss = number_or_nan(json.at("train_loss"));
  json.at("status").get_to(r.status);
  json.at("error").get_to(r.error);
  json.at("frozen_hash_before").get_to(r.frozen_hash_before);
  json.at("frozen_hash_after").get_to(r.frozen_hash_after);
  json.at("binary").get_to(r.binary);
  json.at("versions").get_to(r.versions);
  json.at("seconds").get_to(r.seconds);
  r.fine_tuning = json.value("fine_tuning", "");
  r.batch_norm_policy = json.value("batch_norm_policy", "");
  if (json.contains("choices")) json.at("choices").get_to(r.choices);
  if (json.contains("files")) json.at("files").get_to(r.files);
  if (json.contains("by_class")) json.at("by_class").get_to(r.by_class);
  if (json.contains("by_subgroup")) json.at("by_subgroup").get_to(r.by_subgroup);
  return r;
}

}  // namespace

std::string label_of(const RunResult& result) {
  std::string label = result.treatment;
  if (!result.fine_tuning.empty() && result.fine_tuning != "plain") label += fmt::format(" {}", result.fine_tuning);
  if (!result.batch_norm_policy.empty() && result.batch_norm_policy != "eval") {
    label += fmt::format(" bn-{}", result.batch_norm_policy);
  }
  return label;
}

std::string to_json_line(const RunResult& result) {
  std::string line = text_of(to_json(result));
  const std::string hash = sha256_hex(line);
  line.back() = ',';
  return line + "\"sha256\":\"" + hash + "\"}";
}

std::string fault_of_line(const std::string& line) {
  static constexpr std::string_view kField = ",\"sha256\":\"";
  const std::size_t at = line.rfind(kField);
  if (at == std::string::npos) return "has no sha256";
  const std::string hash = sha256_hex(line.substr(0, at) + "}");
  return line.substr(at) == std::string(kField) + hash + "\"}" ? "" : "was changed";
}

RunResult result_from_json(const std::string& line, const std::string& where) {
  try {
    RunResult result = from_json(Json::parse(line));
    if (result.status != "ok" && result.status != "failed") {
      fail(ErrorKind::data, "{}: status is '{}', expected ok or failed", where, result.status);
    }
    return result;
  } catch (const Json::exception& error) {
    fail(ErrorKind::data, "{}: no record of a run ({}): delete the line and run the study again", where, error.what());
  }
}

std::vector<std::string> comparable_lines(const std::vector<RunResult>& results) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const RunResult& result : results) {
    Json json = to_json(result);
    json.erase("seconds");
    if (json.contains("files")) json["files"].erase("log.txt");
    lines.emplace_back(result.id, text_of(json));
  }
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> sorted;
  sorted.reserve(lines.size());
  for (auto& [id, line] : lines) sorted.push_back(std::move(line));
  return sorted;
}

std::vector<RunResult> last_of_each(const std::vector<RunResult>& results) {
  std::map<std::string, std::size_t> places;
  std::vector<RunResult> last;
  for (const RunResult& result : results) {
    const auto [place, is_new] = places.emplace(result.id, last.size());
    if (is_new) {
      last.push_back(result);
    } else {
      last[place->second] = result;
    }
  }
  return last;
}

std::vector<std::filesystem::path> record_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kResultsPrefix) && name.ends_with(".jsonl")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  const std::filesystem::path first = folder / "results.jsonl";
  if (std::filesystem::exists(first)) files.insert(files.begin(), first);
  return files;
}

std::vector<RunResult> read_record(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return {};
  const std::string text = read_text(file);
  std::vector<RunResult> results;
  std::size_t start = 0;
  for (int number = 1;; ++number) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string::npos) return results;  // what follows the last newline is empty or torn
    results.push_back(result_from_json(text.substr(start, end - start), file.string() + ":" + std::to_string(number)));
    start = end + 1;
  }
}

std::vector<RunResult> read_results(const std::filesystem::path& folder) {
  std::vector<RunResult> results;
  for (const std::filesystem::path& file : record_files(folder)) {
    const std::vector<RunResult> some = read_record(file);
    results.insert(results.end(), some.begin(), some.end());
  }
  return results;
}

}  // namespace graft
