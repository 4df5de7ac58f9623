#include "engine/cpu/onednn_context.h"

#include <utility>

namespace graft {

std::size_t PlanKeyHash::operator()(const PlanKey& key) const {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::int64_t number : key.numbers) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return hash;
}

OnednnContext::OnednnContext() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

Plan& OnednnContext::plan(const PlanKey& key, const std::function<std::unique_ptr<Plan>()>& make) {
  const auto found = plans_.find(key);
  if (found != plans_.end()) return *found->second;
  return *plans_.emplace(key, make()).first->second;
}

}  // namespace graft
