#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/io/pickle.h"

namespace graft {

/// A value of a state dict that is a tensor, or an opaque object with tensors inside it.
struct StateDictEntry {
  std::string name;
  const PickleNode* node = nullptr;
};

/// What a PyTorch pickle holds, seen as one flat state dict.
struct StateDict {
  std::vector<StateDictEntry> entries;          ///< in the file's order
  std::map<std::string, std::string> metadata;  ///< numbers and texts that stood around them: "epoch"
  std::vector<std::string> notes;               ///< wrappers that were taken off, opaque globals
};

/// Finds the weights in a pickle: goes down into `section`, or through the wrappers that training scripts use (those
/// that CheckpointOptions lists), joins the names of nested dicts and of the modules of a whole pickled model by dots,
/// and takes prefixes off that all names share ("module." of DataParallel, "_orig_mod." of torch.compile).
/// Throws FormatFault for a section that is not there, a key that stands twice or dicts that contain themselves.
StateDict find_state_dict(const Pickle& pickle, const std::string& section);

}  // namespace graft
