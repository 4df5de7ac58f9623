#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/file.h"
#include "transfer/record.h"
#include "transfer/search_plan.h"
#include "transfer/statistics.h"

namespace graft {

/// What a network of a search is for.
enum class SearchStage {
  source,   ///< layers are copied from it
  rung,     ///< ranks its arm, on the validation part
  decision  ///< decides, on the held-out part
};
/// "source", "rung", "held-out".
const char* name_of(SearchStage stage);

/// One finished network of a search: a line of search.jsonl.
struct Evaluation {
  std::string id{};
  SearchStage stage = SearchStage::rung;
  int rung = 0;  ///< of stage rung
  std::string arm{};
  std::string treatment{};  ///< its label, as "AnB+ lp-ft"
  int cut = 0;
  std::string split{};
  std::uint64_t seed = 0;
  std::int64_t epochs = 0;
  double train_loss = 0.0;  ///< mean of the last epoch, nats
  std::int64_t correct = 0;
  std::int64_t n = 0;  ///< images it was tested on
  std::int64_t classes = 0;
  std::string status = "ok";  ///< "ok" or "failed"
  std::string error{};
  std::string weights{};                         ///< SHA-256 of its checkpoint
  std::string binary{};                          ///< SHA-256 of the program
  std::map<std::string, std::string> choices{};  ///< what "auto" options took, by shape
  double seconds = 0.0;
  double used = 0.0;  ///< seconds of the search until then, all starts together

  bool ok() const { return status == "ok"; }
  double top1() const { return n == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(n); }
  /// Why it counts as one that did not train, or "". A rung ends early, and its last epoch's mean loss is that of
  /// networks before it: there the answers alone decide.
  std::string untrained() const;
};
Evaluation evaluation_of(const RunResult& result, SearchStage stage, int rung);

/// A rung that the budget left no time for: with what is recorded here the search ended.
struct SearchStop {
  int rung = 0;
  std::int64_t candidates = 0;
  std::int64_t length = 0;
  double estimate = 0.0;  ///< seconds of that rung
  double reserve = 0.0;   ///< and of the decision after it
  double used = 0.0;
  double budget = 0.0;
};

/// True iff a folder holds the record of a search, be it of nothing but its settings.
bool holds_search(const std::filesystem::path& folder);

/// What makes two searches the same, in the order it is told: "eta" -> "3".
using SearchSettings = std::vector<std::pair<std::string, std::string>>;

/// What a folder's search.jsonl tells.
struct SearchLines {
  std::map<std::string, std::string> settings;    ///< empty before the search began
  std::map<std::string, Evaluation> evaluations;  ///< by run id, the latest of each
  std::optional<SearchStop> stop;
  double used = 0.0;       ///< seconds of all starts so far, as the last line tells
  bool concluded = false;  ///< it ends with what it recommends
};
/// Throws Error(data) naming a line that was changed, is torn, or is none of a search.
SearchLines read_search(const std::filesystem::path& folder);

/// FOLDER/search.jsonl: a line of settings, then a line an evaluation, a line where time ended the search, and at last
/// what it recommends. Only ever appended to; each line ends with its own SHA-256, as those of results.jsonl do.
class SearchRecord {
 public:
  /// Reads what is there, cutting off a torn last line. `settings` begin the file with the first line that is added.
  /// Throws Error(data) as read_search, and naming the setting for a search with others.
  SearchRecord(const std::filesystem::path& folder, SearchSettings settings);

  /// nullptr where the network is still to be trained.
  const Evaluation* find(const std::string& id) const;
  const std::map<std::string, Evaluation>& evaluations() const { return there_.evaluations; }
  const std::optional<SearchStop>& stop() const { return there_.stop; }
  /// Seconds of all starts so far, as the last line tells.
  double used() const { return there_.used; }

  /// A later line of the same network takes the place of an earlier one.
  void add(const Evaluation& evaluation);
  void add(const SearchStop& stop);
  /// What the search ends with, JSON; nothing happens if it has one.
  void conclude(const std::string& json);

 private:
  void append(const std::string& json);

  SearchSettings settings_;
  LineAppender lines_;
  SearchLines there_;
};

}  // namespace graft
