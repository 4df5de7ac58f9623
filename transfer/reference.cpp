#include "transfer/reference.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/named_file.h"
#include "transfer/run_table.h"
#include "transfer/split_group.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

fs::path find_table(const std::string& file, const fs::path& study_file) {
  fs::path found = find_named_file(file, study_file);
  if (!found.empty()) return found;
  fail(ErrorKind::data, "reference {}: no such file, nor {}", file, beside(file, study_file).string());
}

std::vector<Observation> read_runs(const std::string& text, const std::string& name,
                                   const std::vector<std::string>& splits) {
  std::vector<Observation> runs = parse_run_table(text, name, {.classes = {}, .lone_split = true}).observations();
  const auto wanted = [&](const Observation& o) {
    return splits.empty() || std::find(splits.begin(), splits.end(), o.split) != splits.end() ||
           std::find(splits.begin(), splits.end(), split_stem(o.split)) != splits.end();
  };
  std::erase_if(runs, [&](const Observation& o) { return !wanted(o); });
  if (runs.empty()) fail(ErrorKind::data, "{}: has no run of the splits that reference.splits names", name);
  return runs;
}

}  // namespace

fs::path reference_path(const fs::path& study_folder) { return study_folder / "reference.csv"; }

void check_reference(const ReferenceTable& table, const fs::path& study_file) {
  const fs::path file = find_table(table.file, study_file);
  read_runs(read_text(file), file.string(), table.splits);
}

void keep_reference(const ReferenceTable& table, const fs::path& study_file, const fs::path& study_folder) {
  const fs::path file = find_table(table.file, study_file);
  const std::string text = read_text(file);
  read_runs(text, file.string(), table.splits);
  Manifest manifest = read_manifest(study_folder);
  write_text_atomically(reference_path(study_folder), text);
  manifest.reference = {.file = fs::path(table.file).filename().string(),
                        .source = table.source.empty() ? fs::path(table.file).filename().string() : table.source,
                        .splits = table.splits,
                        .sha256 = sha256_hex(text)};
  write_manifest(study_folder, manifest);
}

std::optional<ReferenceRuns> reference_runs(const Manifest& manifest, const fs::path& study_folder,
                                            const std::string& stem, bool only) {
  if (!manifest.reference) return std::nullopt;
  const fs::path file = reference_path(study_folder);
  const std::vector<SplitGroup> groups =
      split_groups(read_runs(read_text(file), file.string(), manifest.reference->splits));
  const auto same = std::find_if(groups.begin(), groups.end(),
                                 [&](const SplitGroup& g) { return split_stem(g.splits.front()) == stem; });
  const bool any = only && groups.size() == 1;
  if (same == groups.end() && !any) return std::nullopt;
  const SplitGroup& group = same == groups.end() ? groups.front() : *same;
  return ReferenceRuns{.source = manifest.reference->source,
                       .file = manifest.reference->file,
                       .unit = group.unit,
                       .observations = group.observations};
}

}  // namespace graft
