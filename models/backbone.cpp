#include "models/backbone.h"

#include <cstddef>
#include <utility>

#include "engine/base/error.h"
#include "engine/nn/dropout.h"

namespace graft {
namespace {

void append_prefixed(const std::string& prefix, const std::vector<NamedVariable>& from,
                     std::vector<NamedVariable>& into) {
  for (const NamedVariable& named : from) {
    into.push_back({.name = prefix.empty() ? named.name : prefix + "." + named.name, .variable = named.variable});
  }
}

}  // namespace

const char* name_of(CutPlaces places) { return places == CutPlaces::stages ? "stages" : "blocks"; }

CutPlaces cut_places_from_name(const std::string& name) {
  for (const CutPlaces places : {CutPlaces::stages, CutPlaces::blocks}) {
    if (name == name_of(places)) return places;
  }
  fail(ErrorKind::usage, "[backbone] cuts at '{}' are not known: use stages or blocks", name);
}

void Backbone::add_stage(const std::string& name, const std::string& prefix, std::shared_ptr<Module> module) {
  add_module(prefix, module);
  stages_.push_back({.name = name, .module = std::move(module), .prefix = prefix});
}

void Backbone::add_stage_of_blocks(const std::string& name, const std::string& prefix,
                                   std::shared_ptr<Sequential> blocks) {
  divisible_.emplace(name, blocks);
  add_stage(name, prefix, std::move(blocks));
}

void Backbone::divide_into_blocks() {
  std::vector<Stage> divided;
  for (Stage& stage : stages_) {
    const auto blocks = divisible_.find(stage.name);
    if (blocks == divisible_.end()) {
      divided.push_back(std::move(stage));
      continue;
    }
    for (const auto& [name, block] : blocks->second->layers()) {
      divided.push_back({.name = stage.name + "." + name, .module = block, .prefix = stage.prefix + "." + name});
    }
  }
  stages_ = std::move(divided);
  divisible_.clear();
}

void Backbone::check_range(int first, int last) const {
  check(0 <= first && first <= last && last <= stage_count(), "[backbone] stages {} to {} asked of {}", first, last,
        stage_count());
}

Variable Backbone::forward_stages(const Variable& x, int first, int last, const ForwardContext& context) {
  check_range(first, last);
  Variable y = x;
  for (int i = first; i < last; ++i) y = stages_[static_cast<std::size_t>(i)].module->forward(y, context);
  return y;
}

Variable Backbone::forward(const Variable& x, const ForwardContext& context) { return forward_from(x, 0, context); }

Variable Backbone::forward_from(const Variable& x, int first, const ForwardContext& context) {
  return forward_head(forward_stages(x, first, stage_count(), context), context);
}

std::vector<NamedVariable> Backbone::stage_parameters(int first, int last) const {
  check_range(first, last);
  std::vector<NamedVariable> result;
  for (int i = first; i < last; ++i) {
    const Stage& stage = stages_[static_cast<std::size_t>(i)];
    append_prefixed(stage.prefix, stage.module->parameters(), result);
  }
  return result;
}

std::vector<NamedVariable> Backbone::stage_buffers(int first, int last) const {
  check_range(first, last);
  std::vector<NamedVariable> result;
  for (int i = first; i < last; ++i) {
    const Stage& stage = stages_[static_cast<std::size_t>(i)];
    append_prefixed(stage.prefix, stage.module->buffers(), result);
  }
  return result;
}

void Backbone::freeze_until(int cut, BatchNormPolicy policy) {
  check_range(0, cut);
  set_frozen(false);
  for (int i = 0; i < cut; ++i) stages_[static_cast<std::size_t>(i)].module->set_frozen(true, policy);
}

bool Backbone::deterministic_until(int cut) const {
  check_range(0, cut);
  bool deterministic = true;
  for (int i = 0; i < cut; ++i) {
    stages_[static_cast<std::size_t>(i)].module->for_each_module([&](const std::string&, Module& module) {
      const auto* drop = dynamic_cast<RandomDrop*>(&module);
      if (drop != nullptr && drop->p() > 0.0) deterministic = false;
    });
  }
  return deterministic;
}

}  // namespace graft
