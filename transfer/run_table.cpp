#include "transfer/run_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"
#include "engine/io/file.h"
#include "engine/io/format_fault.h"
#include "transfer/csv.h"

namespace graft {
namespace {

const std::array<std::string, 6> kRequired{"treatment", "split", "source", "target", "n", "top1"};
const std::array<std::string, 7> kOptional{"run",        "final_train_loss",   "seed", "classes", "n_test",
                                           "iterations", "validation_readings"};

/// Which column is where.
class Head {
 public:
  Head(const CsvRecord& record, const std::string& name) : name_(name), line_(record.line), names_(record.cells) {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (!columns_.emplace(names_[i], i).second) {
        fail(ErrorKind::data, "{}:{}: column {} stands there twice", name, line_, printable(names_[i]));
      }
    }
    for (const std::string& column : kRequired) {
      if (!has(column)) reject_missing(column);
    }
  }

  bool has(const std::string& column) const { return columns_.contains(column); }
  std::size_t size() const { return names_.size(); }
  std::size_t place_of(const std::string& column) const { return columns_.at(column); }

  std::vector<std::string> unknown() const {
    std::vector<std::string> names;
    for (const std::string& name : names_) {
      if (!is_known(name)) names.push_back(name);
    }
    return names;
  }

 private:
  static bool is_known(const std::string& column) {
    return std::find(kRequired.begin(), kRequired.end(), column) != kRequired.end() ||
           std::find(kOptional.begin(), kOptional.end(), column) != kOptional.end();
  }

  [[noreturn]] void reject_missing(const std::string& column) const {
    const std::string nearest = nearest_name(column, unknown());
    fail(ErrorKind::data, "{}:{}: no column {}{}; columns that must be there: {}", name_, line_, column,
         nearest.empty() ? "" : fmt::format(" (is it {}?)", printable(nearest)), fmt::join(kRequired, ", "));
  }

  const std::string& name_;
  std::int64_t line_;
  std::vector<std::string> names_;
  std::map<std::string, std::size_t> columns_;
};

/// A record's cells by column, each read with an error that names file, line and column.
class Row {
 public:
  Row(const Head& head, const CsvRecord& record, const std::string& name) : head_(head), record_(record), name_(name) {
    if (record.cells.size() != head.size()) {
      fail(ErrorKind::data, "{}:{}: {} cells, the head line has {}", name, record.line, record.cells.size(),
           head.size());
    }
  }

  std::int64_t line() const { return record_.line; }
  bool has(const std::string& column) const { return head_.has(column) && !cell(column).empty(); }
  const std::string& cell(const std::string& column) const { return record_.cells[head_.place_of(column)]; }

  std::string word(const std::string& column) const {
    if (cell(column).empty()) reject(column, "is empty");
    return cell(column);
  }

  template <class Number>
  Number number(const std::string& column) const {
    const std::string& text = cell(column);
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) reject(column, fmt::format("'{}' is out of range", printable(text)));
    if (error != std::errc{} || end != text.data() + text.size()) {
      reject(column,
             fmt::format("'{}' is no {}", printable(text), std::is_integral_v<Number> ? "whole number" : "number"));
    }
    return value;
  }

  /// A whole number of at least `least`, or 0 in a table without the column or a row with the cell empty.
  std::int64_t count(const std::string& column, std::int64_t least) const {
    if (!has(column)) return 0;
    const auto value = number<std::int64_t>(column);
    if (value < least) reject(column, fmt::format("{} is below {}", value, least));
    return value;
  }

  [[noreturn]] void reject(const std::string& column, const std::string& what) const {
    fail(ErrorKind::data, "{}:{}: column {}: {}", name_, record_.line, column, what);
  }

 private:
  const Head& head_;
  const CsvRecord& record_;
  const std::string& name_;
};

int read_cut(const Row& row, const std::string& treatment) {
  constexpr int kMost = 1'000'000;
  if (!row.has("n")) row.reject("n", "is empty");
  const int cut = row.number<int>("n");
  if (cut < 0 || cut > kMost) row.reject("n", fmt::format("{} is no number of carried layers", cut));
  if (treatment == "base" && cut != 0)
    row.reject("n", fmt::format("{} for base, which carries no layer over: 0 is wanted", cut));
  return cut;
}

double read_top1(const Row& row) {
  if (!row.has("top1")) row.reject("top1", "is empty: leave out a network that has no result");
  const double top1 = row.number<double>("top1");
  if (!(top1 >= 0.0 && top1 <= 1.0)) {
    row.reject("top1", fmt::format("{} is no fraction from 0 to 1{}", row.cell("top1"),
                                   top1 > 1.0 && top1 <= 100.0 ? ": divide percent by 100" : ""));
  }
  return top1;
}

Observation read_observation(const Row& row) {
  Observation o;
  o.treatment = row.word("treatment");
  o.cut = read_cut(row, o.treatment);
  o.split = row.word("split");
  o.target = row.word("target");
  o.source = row.cell("source");
  if (row.has("seed")) o.seed = row.number<std::uint64_t>("seed");
  o.top1 = read_top1(row);
  o.n_test = row.count("n_test", 1);
  o.iterations = row.count("iterations", 0);
  return o;
}

TableRun read_run(const Row& row, std::int64_t default_classes) {
  TableRun run{.line = row.line(),
               .run = row.has("run") ? row.cell("run") : fmt::format("line {}", row.line()),
               .observation = read_observation(row),
               .final_train_loss = {},
               .classes = row.count("classes", 2),
               .untrained = {}};
  if (run.classes == 0) run.classes = default_classes;
  if (row.has("final_train_loss")) {
    run.final_train_loss = row.number<double>("final_train_loss");
    run.untrained = did_not_train(*run.final_train_loss, run.observation.top1, run.observation.n_test, run.classes);
  }
  run.observation.trained = run.untrained.empty();
  return run;
}

void reject_second_rows(const std::vector<TableRun>& runs, const std::string& name) {
  std::map<std::tuple<std::string, int, std::string, std::string, std::uint64_t>, std::int64_t> lines;
  for (const TableRun& run : runs) {
    const Observation& o = run.observation;
    const auto [first, is_new] = lines.emplace(std::tuple{o.treatment, o.cut, o.split, o.target, o.seed}, run.line);
    if (is_new) continue;
    fail(ErrorKind::data,
         "{}:{}: {} at n {} of split {}, target {}, seed {} stands in line {} already: give each network its seed in a "
         "column seed",
         name, run.line, printable(o.treatment), o.cut, printable(o.split), printable(o.target), o.seed, first->second);
  }
}

/// Gives every record the columns that a table of one split may do without.
void fill_lone_split(std::vector<CsvRecord>& records) {
  std::vector<std::string>& head = records[0].cells;
  const auto has = [&](const char* column) { return std::find(head.begin(), head.end(), column) != head.end(); };
  if (!has("n")) std::replace(head.begin(), head.end(), std::string("cut"), std::string("n"));
  const std::size_t width = head.size();
  for (const auto& [column, value] :
       {std::pair{"split", "named"}, std::pair{"source", "A"}, std::pair{"target", "B"}}) {
    if (has(column)) continue;
    head.emplace_back(column);
    for (std::size_t i = 1; i < records.size(); ++i) {
      if (records[i].cells.size() >= width) records[i].cells.emplace_back(value);
    }
  }
}

}  // namespace

std::vector<Observation> RunTable::observations() const {
  std::vector<Observation> all;
  for (const TableRun& run : runs) all.push_back(run.observation);
  return all;
}

RunTable parse_run_table(const std::string& text, const std::string& name, const RunTableOptions& options) {
  std::vector<CsvRecord> records = parse_csv(text, name);
  if (records.empty())
    fail(ErrorKind::data, "{}: is empty; a head line is wanted: {}", name, fmt::join(kRequired, ","));
  if (options.lone_split) fill_lone_split(records);
  const Head head(records[0], name);
  if (records.size() == 1) fail(ErrorKind::data, "{}: has a head line and no row below it", name);
  RunTable table{.runs = {}, .unused_columns = head.unknown(), .has_losses = false, .classes_assumed = false};
  for (std::size_t i = 1; i < records.size(); ++i) {
    const Row row(head, records[i], name);
    table.runs.push_back(read_run(row, options.classes.value_or(kDefaultClasses)));
    const bool has_loss = table.runs.back().final_train_loss.has_value();
    table.has_losses = table.has_losses || has_loss;
    table.classes_assumed = table.classes_assumed || (has_loss && !row.has("classes") && !options.classes);
  }
  reject_second_rows(table.runs, name);
  return table;
}

RunTable read_run_table(const std::filesystem::path& file, const RunTableOptions& options) {
  return parse_run_table(read_text(file), file.string(), options);
}

}  // namespace graft
