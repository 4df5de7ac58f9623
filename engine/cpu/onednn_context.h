#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <functional>
#include <memory>
#include <unordered_map>

#include "engine/cpu/onednn_plan.h"

namespace graft {

/// Everything that a plan depends on beside the thread count: operation, dtype, shapes, options, as numbers.
struct PlanKey {
  static constexpr std::size_t kNumbers = 24;
  std::array<std::int64_t, kNumbers> numbers{};
  bool operator==(const PlanKey&) const = default;
};

struct PlanKeyHash {
  std::size_t operator()(const PlanKey& key) const;
};

/// What one CPU backend has of oneDNN: an engine, a stream, and the plans prepared so far. Never shared between
/// backends: primitives remember the thread count that they were created under.
class OnednnContext {
 public:
  OnednnContext();
  OnednnContext(const OnednnContext&) = delete;
  OnednnContext& operator=(const OnednnContext&) = delete;

  const dnnl::engine& engine() const { return engine_; }
  const dnnl::stream& stream() const { return stream_; }

  /// The plan for `key`, made by `make` at the first call.
  Plan& plan(const PlanKey& key, const std::function<std::unique_ptr<Plan>()>& make);

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::unordered_map<PlanKey, std::unique_ptr<Plan>, PlanKeyHash> plans_;
};

}  // namespace graft
