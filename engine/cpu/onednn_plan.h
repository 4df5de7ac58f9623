#pragma once

#include <array>
#include <cstddef>
#include <dnnl.hpp>
#include <functional>
#include <string>
#include <vector>

namespace graft {

/// The tensors of a convolution or matrix product as a plan numbers them.
enum class PlanArgument : int { source = 0, weights = 1, bias = 2, destination = 3, residual = 4 };
inline constexpr std::size_t kPlanArguments = 5;

/// Data pointers of one call, indexed by PlanArgument; null where the plan has no such argument.
using PlanPointers = std::array<void*, kPlanArguments>;

/// What a backend keeps for one operation on one set of shapes: all that can be prepared before the data are known.
class Plan {
 public:
  virtual ~Plan() = default;
  /// Runs on the data at `pointers`, with `scratch` of at least scratch_bytes() bytes, aligned to 64.
  virtual void run(const PlanPointers& pointers, void* scratch) = 0;
  virtual std::size_t scratch_bytes() const = 0;
  /// What runs, for tests, logs and benchmarks: "jit_1x1:avx512_core", "reorder + jit_wino_4x3:... + reorder".
  virtual std::string implementation() const = 0;
};

/// A chain of oneDNN primitives on fixed memory descriptors. Each memory lies either at an argument of the call or at
/// an offset into scratch; only pointers change from call to call, so a call is a few stores and the executions.
class OnednnPlan final : public Plan {
 public:
  OnednnPlan(const dnnl::engine& engine, const dnnl::stream& stream) : engine_(engine), stream_(stream) {}

  /// The number of a memory that an argument of the call provides, `offset` bytes into it.
  int argument(PlanArgument which, const dnnl::memory::desc& desc, std::size_t offset = 0);
  /// The number of a memory in scratch.
  int scratch(const dnnl::memory::desc& desc);
  /// Appends the primitive that `make` gives, with (DNNL_ARG_*, memory number) pairs. A scratchpad is added where
  /// `scratchpad` wants one. The first run makes it, which is what takes time: a plan may be asked for its scratch
  /// alone.
  void add(const std::function<dnnl::primitive()>& make, const dnnl::memory::desc& scratchpad, const std::string& name,
           const std::vector<std::pair<int, int>>& arguments);
  /// Appends a reorder between two memories.
  void add_reorder(int from, int to);

  void run(const PlanPointers& pointers, void* scratch) override;
  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  std::string implementation() const override;

 private:
  struct Slot {
    dnnl::memory memory;
    int argument;  ///< a PlanArgument, or -1: in scratch
    std::size_t offset;
  };
  struct Step {
    std::function<dnnl::primitive()> make;
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> arguments;
    std::string name;
  };

  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<Slot> slots_;
  std::vector<Step> steps_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace graft
