#if defined(GRAFT_WITH_CUDNN) && !defined(GRAFT_CUDA_EMULATED)
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/library/cudnn_operation.h"
#include "cuda/library/library.h"
#include "cuda/runtime/kernel_timer.h"
#include "engine/base/error.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// A plan with more workspace than this is not taken, however much memory is free: choices must not depend on that.
constexpr std::int64_t kMostWorkspace = std::int64_t{1} << 30;
constexpr std::size_t kMostEngines = 32;

/// How cuDNN computes one shape, with the descriptors that it was made of.
struct Plan {
  CudnnDescriptor descriptor;
  std::size_t workspace_bytes;
  std::vector<CudnnDescriptor> parts{};
};

// Older versions of cuDNN 9 need the handle where newer ones call it deprecated.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
constexpr auto kGraphHandle = CUDNN_ATTR_OPERATIONGRAPH_HANDLE;
constexpr auto kPlanHandle = CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
#pragma GCC diagnostic pop

class CudnnConv final : public ConvLibrary {
 public:
  CudnnConv(const Stream& stream, bool tf32) : stream_(stream), tf32_(tf32) {
    api_.check(api_.cudnnCreate(&handle_), "cudnnCreate");
    api_.check(api_.cudnnSetStream(handle_, stream.handle()), "cudnnSetStream");
  }
  ~CudnnConv() override {
    cudaStreamSynchronize(stream_.handle());
    plans_.clear();
    api_.cudnnDestroy(handle_);
  }
  CudnnConv(const CudnnConv&) = delete;
  CudnnConv& operator=(const CudnnConv&) = delete;

  std::string name() const override {
    const std::size_t version = api_.cudnnGetVersion();
    return fmt::format("cuDNN {}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
  }

  bool supports(ConvPass pass, const ConvProblem& problem, DType dtype) override {
    return !problem.empty() && plan_of(pass, problem, dtype).has_value();
  }

  std::size_t scratch_bytes(ConvPass pass, const ConvProblem& problem, DType dtype) override {
    return supports(pass, problem, dtype) ? plan_of(pass, problem, dtype)->workspace_bytes : 0;
  }

  void run(ConvPass pass, const ConvProblem& problem, DType dtype, const void* x, const void* w, const void* y,
           void* scratch) override {
    const std::optional<Plan>& plan = plan_of(pass, problem, dtype);
    check(plan.has_value(), "[conv2d] cuDNN was asked for a convolution that it does not support");
    const std::array<std::int64_t, 3> ids{kCudnnX, kCudnnW, kCudnnY};
    const std::array<const void*, 3> data{x, w, y};
    CudnnDescriptor pack(api_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, std::span<const std::int64_t>(ids))
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, std::span<const void* const>(data))
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, scratch)
        .finalize();
    constexpr const char* kNames[] = {"cudnn_conv_forward", "cudnn_conv_backward_data", "cudnn_conv_backward_weights"};
    timed(stream_, kNames[static_cast<int>(pass)], [&] {
      api_.check(api_.cudnnBackendExecute(handle_, plan->descriptor.handle(), pack.handle()), "cudnnBackendExecute");
    });
  }

 private:
  using Key = std::vector<std::int64_t>;

  static Key key_of(ConvPass pass, const ConvProblem& p, DType dtype) {
    return {static_cast<std::int64_t>(pass),
            static_cast<std::int64_t>(dtype),
            p.batch,
            p.height,
            p.width,
            p.channels,
            p.out_height,
            p.out_width,
            p.out_channels,
            p.kernel_height,
            p.kernel_width,
            p.groups,
            p.stride.height,
            p.stride.width,
            p.dilation.height,
            p.dilation.width,
            p.padding.top,
            p.padding.left,
            p.padding.bottom,
            p.padding.right};
  }

  /// The plan of a shape, made when it is first asked for: nothing where cuDNN has none that is allowed.
  const std::optional<Plan>& plan_of(ConvPass pass, const ConvProblem& problem, DType dtype) {
    const Key key = key_of(pass, problem, dtype);
    const auto found = plans_.find(key);
    if (found != plans_.end()) return found->second;
    return plans_.emplace(key, make_plan(pass, problem, dtype)).first->second;
  }

  /// The first that cuDNN's heuristics name, in their order, of those that give the same bits every time and round no
  /// more than the contract allows.
  std::optional<Plan> make_plan(ConvPass pass, const ConvProblem& problem, DType dtype) {
    std::optional<CudnnOperation> described;
    try {
      described.emplace(cudnn_conv_operation(api_, pass, problem, dtype));
    } catch (const Error&) {
      return std::nullopt;  // its descriptors do not take the problem: the native kernels do
    }
    CudnnOperation& operation = *described;
    CudnnDescriptor graph(api_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation.descriptor).set(kGraphHandle, CUDNN_TYPE_HANDLE, handle_);
    if (!graph.finalize(true)) return std::nullopt;
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      CudnnDescriptor heuristics(api_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
          .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
      if (!heuristics.finalize(true)) continue;
      for (CudnnDescriptor& engine : engines_of(heuristics)) {
        std::optional<Plan> plan = plan_with(engine, dtype);
        if (!plan) continue;
        plan->parts = std::move(operation.parts);
        plan->parts.push_back(std::move(operation.descriptor));
        plan->parts.push_back(std::move(graph));
        plan->parts.push_back(std::move(engine));
        return plan;
      }
    }
    return std::nullopt;
  }

  std::vector<CudnnDescriptor> engines_of(const CudnnDescriptor& heuristics) const {
    std::vector<CudnnDescriptor> engines;
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::size_t i = 0; i < kMostEngines; ++i) {
      engines.emplace_back(api_, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
      handles.push_back(engines.back().handle());
    }
    const std::int64_t count = heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                              std::span<cudnnBackendDescriptor_t>(handles));
    while (static_cast<std::int64_t>(engines.size()) > count) engines.pop_back();
    return engines;
  }

  std::optional<Plan> plan_with(const CudnnDescriptor& configuration, DType dtype) const {
    if (!allowed(configuration, dtype)) return std::nullopt;
    CudnnDescriptor plan(api_, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration).set(kPlanHandle, CUDNN_TYPE_HANDLE, handle_);
    if (!plan.finalize(true)) return std::nullopt;
    std::int64_t bytes = 0;
    plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, std::span<std::int64_t>(&bytes, 1));
    if (bytes > kMostWorkspace) return std::nullopt;
    return Plan{std::move(plan), static_cast<std::size_t>(bytes)};
  }

  bool allowed(const CudnnDescriptor& configuration, DType dtype) const {
    const CudnnDescriptor engine(api_, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendDescriptor_t handle = engine.handle();
    configuration.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                      std::span<cudnnBackendDescriptor_t>(&handle, 1));
    std::array<cudnnBackendNumericalNote_t, CUDNN_NUMERICAL_NOTE_TYPE_COUNT> notes{};
    const std::int64_t count = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                          std::span<cudnnBackendNumericalNote_t>(notes));
    return std::none_of(notes.begin(), notes.begin() + count, [&](cudnnBackendNumericalNote_t note) {
      // In f32 tensor cores mean tf32.
      if (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) return dtype == DType::f32 && !tf32_;
      return note != CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP;
    });
  }

  CudnnApi api_;
  const Stream& stream_;
  bool tf32_;
  cudnnHandle_t handle_ = nullptr;
  std::map<Key, std::optional<Plan>> plans_;
};

}  // namespace

std::unique_ptr<ConvLibrary> make_cudnn_conv(const Stream& stream, bool tf32) {
  return std::make_unique<CudnnConv>(stream, tf32);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
#endif
