#include "engine/cpu/onednn_plan.h"

#include <utility>

namespace graft {
namespace {

constexpr std::size_t kAlignment = 64;

}  // namespace

int OnednnPlan::argument(PlanArgument which, const dnnl::memory::desc& desc, std::size_t offset) {
  slots_.push_back({dnnl::memory(desc, engine_, DNNL_MEMORY_NONE), static_cast<int>(which), offset});
  return static_cast<int>(slots_.size()) - 1;
}

int OnednnPlan::scratch(const dnnl::memory::desc& desc) {
  slots_.push_back({dnnl::memory(desc, engine_, DNNL_MEMORY_NONE), -1, scratch_bytes_});
  scratch_bytes_ += (desc.get_size() + kAlignment - 1) / kAlignment * kAlignment;
  return static_cast<int>(slots_.size()) - 1;
}

void OnednnPlan::add(const std::function<dnnl::primitive()>& make, const dnnl::memory::desc& scratchpad,
                     const std::string& name, const std::vector<std::pair<int, int>>& arguments) {
  Step step{make, {}, {}, name};
  for (const auto& [index, slot] : arguments) {
    step.arguments.push_back({index, slots_[static_cast<std::size_t>(slot)].memory.get()});
  }
  if (scratchpad.get_size() > 0) {
    const auto slot = static_cast<std::size_t>(scratch(scratchpad));
    step.arguments.push_back({DNNL_ARG_SCRATCHPAD, slots_[slot].memory.get()});
  }
  steps_.push_back(std::move(step));
}

void OnednnPlan::add_reorder(int from, int to) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::reorder::primitive_desc desc(slots_[static_cast<std::size_t>(from)].memory,
                                           slots_[static_cast<std::size_t>(to)].memory, attributes);
  add([desc] { return dnnl::reorder(desc); }, desc.scratchpad_desc(), desc.impl_info_str(),
      {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

void OnednnPlan::run(const PlanPointers& pointers, void* scratch) {
  for (Slot& slot : slots_) {
    void* base = slot.argument < 0 ? scratch : pointers[static_cast<std::size_t>(slot.argument)];
    slot.memory.set_data_handle(static_cast<std::byte*>(base) + slot.offset, stream_);
  }
  for (Step& step : steps_) {
    if (!step.primitive) step.primitive = step.make();
    dnnl::error::wrap_c_api(dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                                   static_cast<int>(step.arguments.size()), step.arguments.data()),
                            "[onednn] a primitive could not be executed");
  }
}

std::string OnednnPlan::implementation() const {
  std::string names;
  for (const Step& step : steps_) names += (names.empty() ? "" : " + ") + step.name;
  return names;
}

}  // namespace graft
