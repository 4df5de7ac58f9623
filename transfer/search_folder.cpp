#include "transfer/search_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/executor.h"
#include "transfer/folder_error.h"
#include "transfer/manifest.h"
#include "transfer/search_record.h"
#include "transfer/source_weights.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

void write_study(const fs::path& file, const RunnerOptions& options, const Study& here) {
  if (!fs::exists(file) || !holds_search(file.parent_path())) return write_text_atomically(file, options.study_text);
  const std::string difference = first_difference(here, parse_study(read_text(file), file.string()));
  if (difference.empty()) return;
  fail(ErrorKind::data, "{}: holds the search of another study ({}); give another folder with --output",
       file.parent_path().string(), difference);
}

Manifest describe(const RunnerOptions& options, const PreparedStudy& prepared) {
  const Study& study = prepared.plan.study;
  Manifest manifest;
  manifest.study = study.name;
  manifest.dataset = study.dataset;
  manifest.data = data_hashes(study, prepared.data);
  manifest.licenses = licenses_of(study);
  manifest.stages = prepared.stages;
  manifest.splits = manifest_splits(prepared.plan, prepared.data.source.train->class_names(),
                                    prepared.data.target.train->class_names());
  manifest.seeds = study.seeds;
  if (!prepared.weights_hash.empty()) manifest.weights["source"] = prepared.weights_hash;
  manifest.device_kind = prepared.device_kind;
  manifest.device_name = options.device_name;
  manifest.threads = options.backend.threads;
  manifest.jobs = options.jobs;
  return manifest;
}

/// Keeps the stages of the source's published weights in the folder. Returns their hash.
std::string import_source(const RunnerOptions& options, const PreparedStudy& prepared, const fs::path& folder) {
  const Study& study = prepared.plan.study;
  const Dataset& train = *prepared.data.target.train;
  const std::unique_ptr<Backend> backend = backend_registry().make(options.device, options.backend);
  const auto network = make_network(study, train, std::ssize(train.class_names()), *backend);
  read_source_weights(study, *network);
  keep_source_weights(*network, folder);
  return sha256_file(source_weights_path(folder));
}

}  // namespace

SearchFolder::SearchFolder(fs::path path) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) {
    fail(ErrorKind::failure, "{}: cannot create the folder: {}; give another one with --output", path_.string(),
         system_reason(error.value()));
  }
  lock_ = Descriptor(::open((path_ / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666));
  if (!lock_.is_open()) {
    const int reason = errno;
    fail(ErrorKind::failure, "{}: cannot write to the folder: {}; give another one with --output", path_.string(),
         system_reason(reason));
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    fail(ErrorKind::failure, "{}: another process is at work in this folder; wait for it, or give another --output",
         path_.string());
  }
  if (fs::exists(path_ / "results.jsonl") && !holds_search(path_)) {
    fail(ErrorKind::data, "{}: holds the results of a study; give another folder with --output", path_.string());
  }
  remove_temporaries(path_);
}

void SearchFolder::begin(const RunnerOptions& options, const PreparedStudy& prepared) const {
  writing_to_folder([&] {
    write_study(path_ / "study.yaml", options, prepared.plan.study);
    Manifest manifest = describe(options, prepared);
    if (fs::exists(path_ / "manifest.json")) {
      const Manifest before = read_manifest(path_);
      manifest.binaries = before.binaries;
      manifest.command_lines = before.command_lines;
    }
    if (!prepared.weights_hash.empty()) {
      manifest.weights["source.safetensors"] = import_source(options, prepared, path_);
    }
    add_binary(manifest, {.sha256 = options.binary, .versions = options.versions});
    manifest.command_lines.push_back(options.command_line);
    manifest.study_sha256 = sha256_file(path_ / "study.yaml");
    write_manifest(path_, manifest);
  });
}

}  // namespace graft
