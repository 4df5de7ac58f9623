#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/io/checkpoint.h"
#include "models/backbone.h"

namespace graft {

struct ImportOptions {
  bool replace_head = false;                  ///< the head keeps its values; the file's is left over without complaint
  bool replace_unfit_head = false;            ///< the same, but only where the file's head has other shapes
  std::vector<std::string> allow_missing{};   ///< names of the model that the file need not have
  std::vector<std::string> allow_leftover{};  ///< names of the file that the model need not have
};

/// A tensor of the file and the variable that it becomes.
struct ImportedTensor {
  CheckpointTensor source;
  std::string target;
  std::vector<std::int64_t> target_shape;  ///< in the public layout, OIHW
  std::string transform;                   ///< "float16 to f32, [64, 3, 7, 7] to [64, 147]", or ""
};

/// What an import does, tensor by tensor.
struct ImportPlan {
  std::string publisher;                ///< whose names the file has
  std::vector<ImportedTensor> tensors;  ///< in the model's order
  std::vector<std::string> kept;        ///< variables that keep their values: a replaced head, allowed ones, counters
  std::vector<std::string> leftover;    ///< tensors of the file that nothing takes
};

/// Finds out by whose names the tensors of `file` go and which variable of `network` each becomes. A file without
/// batch-norm counters (num_batches_tracked), as they were until 2018, is complete. Throws Error(data) naming the file,
/// the tensor and the remedy where one is missing, left over, of another shape, or unreadable.
ImportPlan plan_import(const Checkpoint& file, const Backbone& network, const ImportOptions& options = {});

/// Carries the plan out. Kept variables must have values already.
void run_import(const Checkpoint& file, const ImportPlan& plan, Backbone& network);

/// Gives `network`, as make_backbone made it, its first values, keyed by `seed`, and over them the file's. Throws as
/// plan_import does.
ImportPlan start_from(const Checkpoint& file, Backbone& network, const ImportOptions& options = {},
                      std::uint64_t seed = 0);
/// The first values alone.
void start_anew(Backbone& network, std::uint64_t seed = 0);

/// Writes what start_from() would give `network` as safetensors, straight from the file, so that the network's own
/// values take no memory but for those that are kept.
void save_import(const std::filesystem::path& path, const Checkpoint& file, const ImportPlan& plan,
                 const Backbone& network, const std::map<std::string, std::string>& metadata);

/// Whether the file's head has other shapes than the network's, such as another number of classes.
bool head_differs(const Checkpoint& file, const Backbone& network);

/// The number of classes that the file's head has: the first extent of its last tensor; nullopt if it has no head of
/// the network's names.
std::optional<std::int64_t> classes_in(const Checkpoint& file, const Backbone& network);

}  // namespace graft
