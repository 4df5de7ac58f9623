// C = op(A) op(B) [+ bias] [then ReLU]: which kernel, which tile, how many ranges of K. bf16 goes to tensor cores
// (gemm_bf16.cu), f32 to CUDA cores (gemm_f32.cu) or, where tf32 is asked for, to tensor cores (gemm_tf32.cu). Tile and
// ranges follow from the extents and the number of multiprocessors alone (tile_plan.h), never from alignment: a slice
// gives the same sums whatever address it has.

#include "cuda/kernels/gemm.h"

#include "cuda/kernels/gemm_launch.h"
#include "cuda/kernels/split_k.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

constexpr int kMaxSplits = 32;

bool on_tensor_cores(const GemmProblem& problem) { return problem.input == DType::bf16 || problem.tf32; }

TilePlan plan_of(const Device& device, const GemmProblem& problem) {
  const bool tensor_cores = on_tensor_cores(problem);
  const int depth = tensor_cores ? 128 / static_cast<int>(size_of(problem.input)) : kGemmSimtDepth;
  const TileDemand demand{.m = problem.m,
                          .n = problem.n,
                          .batch = problem.batch,
                          .depths = divide_up(problem.k, depth),
                          .depth_elements = depth,
                          .max_splits = kMaxSplits};
  return tensor_cores ? plan_tiles(kGemmMmaTiles, demand, device) : plan_tiles(kGemmSimtTiles, demand, device);
}

bool empty(const GemmProblem& problem) { return problem.batch == 0 || problem.m == 0 || problem.n == 0; }

}  // namespace

std::size_t gemm_scratch_bytes(const Device& device, const GemmProblem& problem) {
  if (empty(problem)) return 0;
  const int splits = plan_of(device, problem).splits;
  if (splits == 1) return 0;
  return static_cast<std::size_t>(splits * problem.batch * problem.m * problem.n) * sizeof(float);
}

void gemm(const Stream& stream, const GemmProblem& problem, const void* a, const void* b, const float* bias,
          void* scratch, void* c) {
  if (empty(problem)) return;
  const TilePlan plan = plan_of(stream.device(), problem);
  GemmProblem part = problem;
  GemmArguments arguments{.a = a, .b = b, .bias = bias, .c = c};
  if (plan.splits > 1) {
    part.output = DType::f32;
    part.relu = false;
    arguments.bias = nullptr;
    arguments.c = scratch;
  }
  if (problem.input == DType::bf16) {
    gemm_bf16(stream, part, plan, arguments);
  } else if (problem.tf32) {
    gemm_tf32(stream, part, plan, arguments);
  } else {
    gemm_f32(stream, part, plan, arguments);
  }
  if (plan.splits > 1)
    sum_splits(stream,
               {.splits = plan.splits,
                .count = problem.batch * problem.m * problem.n,
                .columns = problem.n,
                .relu = problem.relu,
                .output = problem.output},
               static_cast<const float*>(scratch), bias, c);
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
