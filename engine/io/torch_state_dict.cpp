#include "engine/io/torch_state_dict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <unordered_set>

#include "engine/io/format_fault.h"
#include "engine/io/pickle_globals.h"
#include "engine/io/torch_dtype.h"
#include "engine/io/torch_tensor.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

// In timm's order: an average over training, where there is one, is what was evaluated.
constexpr std::array<std::string_view, 8> kSections = {"state_dict_ema", "model_ema", "state_dict", "model_state_dict",
                                                       "model",          "module",    "net",        "network"};
constexpr std::array<std::string_view, 2> kPrefixes = {"module.", "_orig_mod."};

constexpr std::size_t kMaxDepth = 32;
// One dict may stand in many places, a few bytes of pickle each.
constexpr std::size_t kMaxSteps = 4'000'000;
constexpr std::size_t kMaxNameBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxMetadataText = 1000;

/// Walks dicts with a bound on the work.
class Collector {
 public:
  explicit Collector(StateDict& result) : result_(result) {}

  /// Adds the tensors below `node` under names that start with `prefix`.
  void collect(const PickleNode& node, const std::string& prefix, std::size_t depth) {
    if (depth > kMaxDepth) damaged("its dicts are nested too deep or contain themselves");
    if (const PickleNode* attributes = module_attributes(node)) {
      for (const char* key : {"_parameters", "_buffers", "_modules"}) {
        if (const PickleNode* part = attributes->find(key)) collect_pairs(*part, prefix, depth);
      }
    } else if (node.is(Kind::dict)) {
      collect_pairs(node, prefix, depth);
    } else if (node.is(Kind::list)) {
      for (std::size_t i = 0; i < node.items.size(); ++i)
        collect_value(*node.items[i], prefix, std::to_string(i), depth);
    }
  }

  /// True iff a tensor stands below `node`, through whatever objects.
  bool holds_tensor(const PickleNode& node) {
    std::unordered_set<const PickleNode*> seen;
    std::vector<const PickleNode*> open = {&node};
    while (!open.empty()) {
      const PickleNode* current = open.back();
      open.pop_back();
      if (current == nullptr || !seen.insert(current).second) continue;
      step();
      if (is_torch_tensor(*current)) return true;
      open.insert(open.end(), current->items.begin(), current->items.end());
      open.insert(open.end(), {current->callee, current->arguments, current->state});
    }
    return false;
  }

  /// The attributes of a pickled torch.nn.Module, or nullptr.
  static const PickleNode* module_attributes(const PickleNode& node) {
    if (!node.is(Kind::call) || node.state == nullptr || !node.state->is(Kind::dict)) return nullptr;
    const PickleNode* modules = node.state->find("_modules");
    const PickleNode* parameters = node.state->find("_parameters");
    return modules != nullptr && parameters != nullptr ? node.state : nullptr;
  }

 private:
  void step() {
    if (++steps_ > kMaxSteps) damaged("its dicts hold more than {} values", kMaxSteps);
  }

  static std::string key_text(const PickleNode& key) {
    if (key.is(Kind::text)) return std::string(key.text);
    if (key.is(Kind::integer)) return std::to_string(key.integer);
    return "?";
  }

  void collect_pairs(const PickleNode& pairs, const std::string& prefix, std::size_t depth) {
    if (!pairs.is(Kind::dict)) return;
    std::set<std::string> keys;
    for (std::size_t i = 0; i + 1 < pairs.items.size(); i += 2) {
      std::string key = key_text(*pairs.items[i]);
      if (key != "?" && !keys.insert(key).second)
        damaged("a dict of its pickle has the key '{}' twice", printable(key));
      collect_value(*pairs.items[i + 1], prefix, key, depth);
    }
  }

  void collect_value(const PickleNode& value, const std::string& prefix, const std::string& key, std::size_t depth) {
    step();
    std::string name = prefix + key;
    name_bytes_ += name.size();
    if (name_bytes_ > kMaxNameBytes) damaged("the names of its tensors are too long");
    const bool is_tensor = is_torch_tensor(value);
    if (!is_tensor && (value.is(Kind::dict) || value.is(Kind::list) || module_attributes(value) != nullptr)) {
      collect(value, name + ".", depth + 1);
    } else if (is_tensor || (value.is(Kind::call) && holds_tensor(value))) {
      result_.entries.push_back({.name = std::move(name), .node = &value});
    }
  }

  StateDict& result_;
  std::size_t steps_ = 0;
  std::size_t name_bytes_ = 0;
};

std::string keys_of(const PickleNode& dict) {
  constexpr std::size_t kMost = 12;
  std::string text;
  for (std::size_t i = 0; i < dict.items.size(); i += 2) {
    if (i / 2 == kMost) return text + ", ...";
    if (dict.items[i]->is(Kind::text)) text += (text.empty() ? "" : ", ") + printable(dict.items[i]->text);
  }
  return text.empty() ? "no names" : text;
}

void keep_metadata(const PickleNode& dict, StateDict& result) {
  if (!dict.is(Kind::dict)) return;
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleNode& value = *dict.items[i + 1];
    if (!dict.items[i]->is(Kind::text)) continue;
    std::string& text = result.metadata[std::string(dict.items[i]->text.substr(0, kMaxMetadataText))];
    if (value.is(Kind::text)) text = value.text.substr(0, kMaxMetadataText);
    if (value.is(Kind::integer)) text = std::to_string(value.integer);
    if (value.is(Kind::real)) text = fmt::format("{}", value.real);
    if (value.is(Kind::boolean)) text = value.integer != 0 ? "true" : "false";
    if (text.empty()) result.metadata.erase(std::string(dict.items[i]->text.substr(0, kMaxMetadataText)));
  }
}

/// The usual wrapper of the weights within this dict, or an empty name.
std::string_view usual_section(const PickleNode& node, Collector& collector) {
  if (!node.is(Kind::dict)) return {};
  for (const std::string_view name : kSections) {
    const PickleNode* inner = node.find(name);
    if (inner == nullptr || is_torch_tensor(*inner)) continue;
    const bool container = inner->is(Kind::dict) || Collector::module_attributes(*inner) != nullptr;
    if (container && collector.holds_tensor(*inner)) return name;
  }
  return {};
}

/// Goes down to the dict of weights, saying so.
const PickleNode& find_weights(const PickleNode& root, const std::string& section, StateDict& result,
                               Collector& collector) {
  const PickleNode* node = &root;
  keep_metadata(*node, result);
  if (!section.empty()) {
    node = node->is(Kind::dict) ? root.find(section) : nullptr;
    if (node == nullptr) {
      refused("name one of them with --section", "has no section '{}' but {}", printable(section), keys_of(root));
    }
    result.notes.push_back(fmt::format("'{}' of {} is read", printable(section), keys_of(root)));
    return *node;
  }
  for (std::size_t depth = 0; depth < kMaxDepth; ++depth) {
    const std::string_view name = usual_section(*node, collector);
    if (name.empty()) break;
    result.notes.push_back(fmt::format("'{}' of {} is read", name, keys_of(*node)));
    node = node->find(name);
    keep_metadata(*node, result);
  }
  return *node;
}

void strip_prefixes(StateDict& result) {
  for (bool again = !result.entries.empty(); again;) {
    again = false;
    for (const std::string_view prefix : kPrefixes) {
      const bool all = std::all_of(result.entries.begin(), result.entries.end(), [&](const StateDictEntry& entry) {
        return entry.name.starts_with(prefix) && entry.name.size() > prefix.size();
      });
      if (!all) continue;
      for (StateDictEntry& entry : result.entries) entry.name.erase(0, prefix.size());
      result.notes.push_back(fmt::format("the prefix '{}' was taken off all names", prefix));
      again = true;
    }
  }
}

/// True for the names that tensors and plain containers are pickled with.
bool is_expected(const PickleNode& global) {
  const std::string_view module = global.text;
  if (classify_pickle_global(module, global.name) != PickleGlobal::opaque) return true;
  if (module == "torch._utils") return global.name.starts_with("_rebuild_");
  if (module == "torch" || module == "torch.cuda" || module == "torch.storage") {
    return global.name.ends_with("Storage") || torch_dtype_named(global.name) != nullptr || global.name == "device" ||
           global.name == "Tensor" || global.name.ends_with("Tensor");
  }
  return (module == "torch.nn.parameter" && global.name == "Parameter") ||
         (module == "torch._tensor" && global.name == "_rebuild_from_type_v2");
}

void note_opaque_globals(const Pickle& pickle, StateDict& result) {
  for (const PickleNode* global : pickle.globals()) {
    if (!is_expected(*global)) {
      result.notes.push_back(fmt::format("{} stayed opaque: nothing of it was run", global_name(*global)));
    }
  }
}

}  // namespace

StateDict find_state_dict(const Pickle& pickle, const std::string& section) {
  StateDict result;
  Collector collector(result);
  const PickleNode& weights = find_weights(pickle.root(), section, result, collector);
  if (is_torch_tensor(weights)) {
    result.entries.push_back({.name = "tensor", .node = &weights});
  } else {
    collector.collect(weights, "", 0);
  }
  strip_prefixes(result);
  note_opaque_globals(pickle, result);
  return result;
}

}  // namespace graft
