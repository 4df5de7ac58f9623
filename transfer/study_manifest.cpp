#include "transfer/study_manifest.h"

#include "engine/backend/registry.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/folder_error.h"
#include "transfer/run_network.h"
#include "transfer/source_weights.h"

namespace graft {

namespace fs = std::filesystem;

Manifest describe_study(const RunnerOptions& options, const PreparedStudy& prepared) {
  Manifest manifest;
  manifest.study = prepared.plan.study.name;
  manifest.dataset = prepared.plan.study.dataset;
  manifest.data = data_hashes(prepared.plan.study, prepared.data);
  manifest.licenses = licenses_of(prepared.plan.study);
  manifest.stages = prepared.stages;
  manifest.splits = manifest_splits(prepared.plan, prepared.data.source.train->class_names(),
                                    prepared.data.target.train->class_names());
  manifest.seeds = prepared.plan.study.seeds;
  if (!prepared.weights_hash.empty()) manifest.weights["source"] = prepared.weights_hash;
  manifest.device_kind = prepared.device_kind;
  manifest.device_name = options.device_name;
  manifest.threads = options.backend.threads;
  manifest.jobs = options.jobs;
  return manifest;
}

Manifest begin_manifest(const fs::path& folder, const RunnerOptions& options, Manifest manifest) {
  if (fs::exists(folder / "manifest.json")) {
    const Manifest before = read_manifest(folder);
    manifest.weights.insert(before.weights.begin(), before.weights.end());
    manifest.binaries = before.binaries;
    manifest.reference = before.reference;
    manifest.command_lines = before.command_lines;
  }
  add_binary(manifest, {.sha256 = options.binary, .versions = options.versions});
  manifest.command_lines.push_back(options.command_line);
  const fs::path study = folder / "study.yaml";
  if (!fs::exists(study)) write_text_atomically(study, options.study_text);
  manifest.study_sha256 = sha256_file(study);
  write_manifest(folder, manifest);
  return manifest;
}

std::shared_ptr<Backbone> example_network(const Study& study, const StudyData& data, Backend& backend) {
  const Dataset& train = *data.target.train;
  return make_network(study, train, static_cast<std::int64_t>(train.class_names().size()), backend);
}

void import_source(const RunnerOptions& options, const PreparedStudy& prepared, const fs::path& folder,
                   Manifest& manifest) {
  const Study& study = prepared.plan.study;
  if (study.source_checkpoint.empty()) return;
  const std::unique_ptr<Backend> backend = backend_registry().make(options.device, options.backend);
  const std::shared_ptr<Backbone> network = example_network(study, prepared.data, *backend);
  read_source_weights(study, *network);
  writing_to_folder([&] {
    keep_source_weights(*network, folder);
    manifest.weights["source.safetensors"] = sha256_file(source_weights_path(folder));
    write_manifest(folder, manifest);
  });
}

}  // namespace graft
