#include "transfer/source_weights.h"

#include "engine/io/checkpoint.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "models/pretrained.h"

namespace graft {

namespace fs = std::filesystem;

fs::path source_weights_path(const fs::path& study_folder) { return study_folder / "source.safetensors"; }

std::string hash_source_weights(const Study& study) {
  if (study.source_checkpoint.empty()) return "";
  const auto checkpoint = open_checkpoint(study.source_checkpoint);
  std::string hashes;
  for (const fs::path& file : checkpoint->files()) hashes += sha256_file(file);
  return sha256_hex(hashes);
}

void check_source_weights(const Study& study, const Backbone& network) {
  if (study.source_checkpoint.empty()) return;
  plan_import(*open_checkpoint(study.source_checkpoint), network, {.replace_head = true});
}

void read_source_weights(const Study& study, Backbone& network) {
  const auto file = open_checkpoint(study.source_checkpoint);
  initialize(state_of(network), 0, "published");  // what the file need not have: batch norm's counters and the head
  run_import(*file, plan_import(*file, network, {.replace_head = true}), network);
}

void keep_source_weights(const Backbone& network, const fs::path& study_folder) {
  const int stages = network.stage_count();
  std::vector<NamedVariable> state = network.stage_parameters(0, stages);
  for (const NamedVariable& buffer : network.stage_buffers(0, stages)) state.push_back(buffer);
  save_state(source_weights_path(study_folder), state, {{"made-by", "graft study run"}});
}

}  // namespace graft
