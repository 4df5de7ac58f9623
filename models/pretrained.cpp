#include "models/pretrained.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"
#include "engine/io/format_fault.h"
#include "engine/io/safetensors.h"
#include "engine/io/stored_tensor.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "models/name_map.h"

namespace graft {
namespace {

std::set<std::string> head_names(const Backbone& network) {
  std::set<std::string> names;
  for (const NamedVariable& named : state_of(network)) names.insert(named.name);
  const int stages = network.stage_count();
  for (const NamedVariable& named : network.stage_parameters(0, stages)) names.erase(named.name);
  for (const NamedVariable& named : network.stage_buffers(0, stages)) names.erase(named.name);
  return names;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::int64_t numel(const std::vector<std::int64_t>& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

/// Equal but for extents of 1 at the end: a linear layer may be published as a 1x1 convolution.
bool same_but_for_ones(std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
  while (!a.empty() && a.back() == 1) a.pop_back();
  while (!b.empty() && b.back() == 1) b.pop_back();
  return a == b;
}

/// A linear layer's weight [O, C H W] published as a convolution [O, C, H, W].
bool is_flattened(const std::vector<std::int64_t>& source, const std::vector<std::int64_t>& target) {
  return target.size() == 2 && source.size() == 4 && source[0] == target[0] && numel(source) == numel(target);
}

/// The file's tensors by the names that they have in the network.
struct Naming {
  std::string publisher;
  std::map<std::string, const CheckpointTensor*> by_native;
  std::size_t matches = 0;  ///< how many of the network's names are there
};

Naming name_by(const NameMap& map, const Checkpoint& file, const std::set<std::string>& wanted) {
  Naming naming{.publisher = map.publisher(), .by_native = {}};
  for (const CheckpointTensor& tensor : file.tensors()) {
    const std::optional<std::string> native = map.native(tensor.name);
    if (!native) continue;
    const bool first = naming.by_native.emplace(*native, &tensor).second;
    if (first && wanted.contains(*native)) ++naming.matches;
  }
  return naming;
}

/// By whose names most of the network is found.
Naming best_naming(const Checkpoint& file, const std::vector<NamedVariable>& variables) {
  std::vector<std::string> names;
  names.reserve(variables.size());
  for (const NamedVariable& named : variables) names.push_back(named.name);
  const std::set<std::string> wanted(names.begin(), names.end());
  Naming best;
  for (const std::unique_ptr<NameMap>& map : name_maps(names)) {
    Naming naming = name_by(*map, file, wanted);
    if (best.publisher.empty() || naming.matches > best.matches) best = std::move(naming);
  }
  return best;
}

bool is_counter(const std::string& name) { return name.ends_with("num_batches_tracked"); }

[[noreturn]] void fail_missing(const Checkpoint& file, const NamedVariable& named, const Naming& naming) {
  std::vector<std::string> there;
  for (const CheckpointTensor& tensor : file.tensors()) there.push_back(tensor.name);
  if (naming.matches == 0 || there.empty()) {
    fail(ErrorKind::data, "{}: has no tensor of this model; it wants '{}' {} and more (graft inspect lists the file's)",
         file.path().string(), named.name, shape_text(stored_shape(named)));
  }
  fail(ErrorKind::data,
       "{}: has no tensor '{}' {}; the nearest name is '{}'; is it this model's? --allow-missing {} lets it be",
       file.path().string(), named.name, shape_text(stored_shape(named)), nearest_name(named.name, there), named.name);
}

std::string transform_text(const CheckpointTensor& source, const NamedVariable& named) {
  std::vector<std::string> parts;
  const std::vector<std::int64_t> target = stored_shape(named);
  if (source.shape != target) parts.push_back(fmt::format("{} to {}", shape_text(source.shape), shape_text(target)));
  if (*source.known != named.variable.dtype()) {
    parts.push_back(fmt::format("{} to {}", name_of(*source.known), name_of(named.variable.dtype())));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

ImportedTensor match(const Checkpoint& file, const CheckpointTensor& source, const NamedVariable& named, bool head) {
  const std::vector<std::int64_t> target = stored_shape(named);
  const bool fits =
      source.shape == target || same_but_for_ones(source.shape, target) || is_flattened(source.shape, target);
  if (!fits) {
    fail(ErrorKind::data, "{}: tensor '{}' has shape {}, the model's '{}' wants {}{}", file.path().string(),
         printable(source.name), shape_text(source.shape), named.name, shape_text(target),
         head ? "; --num-classes replaces the head" : "; is it a checkpoint of this model?");
  }
  if (!source.problem.empty()) {
    fail(ErrorKind::data, "{}: tensor '{}' cannot be read: {}", file.path().string(), printable(source.name),
         source.problem);
  }
  if (!can_load(source, named)) {
    fail(ErrorKind::data, "{}: tensor '{}' is {}, which does not convert to the model's {}", file.path().string(),
         source.name, source.dtype, name_of(named.variable.dtype()));
  }
  return {.source = source, .target = named.name, .target_shape = target, .transform = transform_text(source, named)};
}

/// Only what the file does not give: random numbers for a large network take longer than its import.
void initialize_kept(const ImportPlan& plan, const Backbone& network, std::uint64_t seed) {
  std::vector<NamedVariable> kept = state_of(network);
  std::erase_if(kept, [&plan](const NamedVariable& named) { return !contains(plan.kept, named.name); });
  initialize(kept, seed, "base-target");
}

}  // namespace

ImportPlan plan_import(const Checkpoint& file, const Backbone& network, const ImportOptions& options) {
  const std::vector<NamedVariable> variables = state_of(network);
  const std::set<std::string> head = head_names(network);
  const Naming naming = best_naming(file, variables);
  ImportPlan plan;
  plan.publisher = naming.publisher;
  std::set<std::string> used;
  const bool replace_head = options.replace_head || (options.replace_unfit_head && head_differs(file, network));
  for (const NamedVariable& named : variables) {
    const auto found = naming.by_native.find(named.name);
    const bool replaced = replace_head && head.contains(named.name);
    if (found != naming.by_native.end()) used.insert(found->second->name);
    if (replaced ||
        (found == naming.by_native.end() && (is_counter(named.name) || contains(options.allow_missing, named.name)))) {
      plan.kept.push_back(named.name);
      continue;
    }
    if (found == naming.by_native.end()) fail_missing(file, named, naming);
    plan.tensors.push_back(match(file, *found->second, named, head.contains(named.name)));
  }
  for (const CheckpointTensor& tensor : file.tensors()) {
    if (used.contains(tensor.name)) continue;
    if (!contains(options.allow_leftover, tensor.name)) {
      fail(ErrorKind::data, "{}: tensor '{}' {} has no place in the model; --allow-leftover {} lets it be",
           file.path().string(), printable(tensor.name), shape_text(tensor.shape), printable(tensor.name));
    }
    plan.leftover.push_back(tensor.name);
  }
  return plan;
}

void run_import(const Checkpoint& file, const ImportPlan& plan, Backbone& network) {
  std::map<std::string, NamedVariable> by_name;
  for (const NamedVariable& named : state_of(network)) by_name.emplace(named.name, named);
  for (const ImportedTensor& tensor : plan.tensors) load_stored(file, tensor.source, by_name.at(tensor.target));
}

void start_anew(Backbone& network, std::uint64_t seed) { initialize(state_of(network), seed, "base-target"); }

ImportPlan start_from(const Checkpoint& file, Backbone& network, const ImportOptions& options, std::uint64_t seed) {
  ImportPlan plan = plan_import(file, network, options);
  initialize_kept(plan, network, seed);
  run_import(file, plan, network);
  return plan;
}

void save_import(const std::filesystem::path& path, const Checkpoint& file, const ImportPlan& plan,
                 const Backbone& network, const std::map<std::string, std::string>& metadata) {
  initialize_kept(plan, network, 0);
  std::map<std::string, const ImportedTensor*> imported;
  for (const ImportedTensor& tensor : plan.tensors) imported.emplace(tensor.target, &tensor);
  const std::vector<NamedVariable> variables = state_of(network);
  std::vector<TensorToWrite> tensors;
  for (const NamedVariable& named : variables) {
    const DType dtype = named.variable.dtype();
    TensorToWrite tensor{.entry = {.name = named.name, .dtype = dtype, .shape = stored_shape(named)},
                         .for_each_piece = [&named](const TakePiece& take) { for_each_stored_piece(named, take); }};
    if (const auto found = imported.find(named.name); found != imported.end()) {
      tensor.for_each_piece = [&file, &source = found->second->source, dtype](const TakePiece& take) {
        for_each_converted_piece(file, source, dtype, take);
      };
    }
    tensors.push_back(std::move(tensor));
  }
  save_tensors(path, std::move(tensors), metadata);
}

bool head_differs(const Checkpoint& file, const Backbone& network) {
  const std::vector<NamedVariable> variables = state_of(network);
  const std::set<std::string> head = head_names(network);
  const Naming naming = best_naming(file, variables);
  return std::any_of(variables.begin(), variables.end(), [&](const NamedVariable& named) {
    const auto found = naming.by_native.find(named.name);
    return head.contains(named.name) && found != naming.by_native.end() &&
           numel(found->second->shape) != numel(stored_shape(named));
  });
}

std::optional<std::int64_t> classes_in(const Checkpoint& file, const Backbone& network) {
  const std::vector<NamedVariable> variables = state_of(network);
  const std::set<std::string> head = head_names(network);
  const Naming naming = best_naming(file, variables);
  std::optional<std::int64_t> classes;
  for (const NamedVariable& named : variables) {
    const auto found = naming.by_native.find(named.name);
    if (!head.contains(named.name) || found == naming.by_native.end() || found->second->shape.empty()) continue;
    classes = found->second->shape.front();
  }
  return classes;
}

}  // namespace graft
