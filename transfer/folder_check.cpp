#include "transfer/folder_check.h"

#include <map>
#include <sstream>

#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/record.h"
#include "transfer/source_weights.h"

namespace graft {

FolderCheck::FolderCheck(VerificationOptions options)
    : options_(std::move(options)), manifest_(read_manifest(options_.folder)) {}

void FolderCheck::compare(const std::filesystem::path& file, const std::string& hash) {
  ++found_.files;
  if (!std::filesystem::exists(file)) return fault("{}: is missing", file.string());
  if (sha256_file(file) != hash) fault("{}: is not the file that was recorded", file.string());
}

void FolderCheck::compare_lines(const std::filesystem::path& record) {
  std::istringstream lines(read_text(record));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line); ++found_.lines) {
    const std::string problem = fault_of_line(line);
    ++number;
    if (!problem.empty()) fault("{}:{}: the line {}", record.string(), number, problem);
  }
}

void FolderCheck::compare_source_weights() {
  const auto source = manifest_.weights.find("source.safetensors");
  if (source != manifest_.weights.end()) compare(source_weights_path(folder()), source->second);
}

void FolderCheck::compare_data() {
  const Study study = read_study(study_file());
  const std::map<std::string, std::string> now = data_hashes(study, open_study_data(study, options_.data));
  for (const auto& [part, hash] : manifest_.data) {
    const auto here = now.find(part);
    if (here != now.end() && here->second == hash) continue;
    fault("{}: its {} images are not those that were recorded",
          part.starts_with("source") ? study.source_dataset : study.dataset, part);
  }
}

std::unique_ptr<Backend> FolderCheck::same_backend() {
  std::unique_ptr<Backend> backend = backend_registry().make(options_.device, options_.backend);
  if (backend->device_kind() == manifest_.device_kind && options_.backend.threads == manifest_.threads) return backend;
  found_.notes.push_back(
      fmt::format("runs were made on {} with {} threads each, this is {} with {}: their ids and "
                  "answers were not computed again",
                  manifest_.device_kind, manifest_.threads, backend->device_kind(), options_.backend.threads));
  return nullptr;
}

PreparedStudy FolderCheck::prepare() const {
  return prepare_study({.study_text = read_text(study_file()),
                        .study_file = study_file().string(),
                        .folder = folder(),
                        .data = options_.data,
                        .device = options_.device,
                        .backend = options_.backend});
}

}  // namespace graft
