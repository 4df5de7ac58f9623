#include "engine/cpu/gemm_plan.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

#include "engine/base/error.h"

namespace graft {
namespace {

using dnnl::memory;

constexpr std::int64_t kGemmKey = 16;  ///< tells products from convolutions in PlanKey

memory::data_type type_of(DType dtype) {
  return dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

/// [batch, rows, columns] over memory that holds the matrix or, transposed, its transpose.
memory::desc matrix(const GemmProblem& problem, std::int64_t rows, std::int64_t columns, bool transposed, DType dtype) {
  const memory::dims extents = {problem.batch, rows, columns};
  const memory::dims strides = {rows * columns, transposed ? 1 : columns, transposed ? rows : 1};
  if (problem.batch == 1) return {{rows, columns}, type_of(dtype), {strides[1], strides[2]}};
  return {extents, type_of(dtype), strides};
}

std::unique_ptr<Plan> make_gemm_plan(const OnednnContext& context, const GemmProblem& problem) {
  const memory::desc a = matrix(problem, problem.m, problem.k, problem.options.transpose_a, problem.input);
  const memory::desc b = matrix(problem, problem.k, problem.n, problem.options.transpose_b, problem.input);
  const memory::desc c = matrix(problem, problem.m, problem.n, false, problem.output);
  memory::desc bias;
  if (problem.bias) {
    const memory::dims extents = problem.batch == 1 ? memory::dims{1, problem.n} : memory::dims{1, 1, problem.n};
    bias = {extents, memory::data_type::f32, problem.batch == 1 ? memory::format_tag::ab : memory::format_tag::abc};
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (problem.options.relu) {
    dnnl::post_ops post;
    post.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(post);
  }
  const dnnl::matmul::primitive_desc desc(dnnl::matmul::desc(a, b, bias, c), attributes, context.engine());
  auto plan = std::make_unique<OnednnPlan>(context.engine(), context.stream());
  std::vector<std::pair<int, int>> arguments{{DNNL_ARG_SRC, plan->argument(PlanArgument::source, a)},
                                             {DNNL_ARG_WEIGHTS, plan->argument(PlanArgument::weights, b)},
                                             {DNNL_ARG_DST, plan->argument(PlanArgument::destination, c)}};
  if (problem.bias) arguments.emplace_back(DNNL_ARG_BIAS, plan->argument(PlanArgument::bias, bias));
  plan->add([desc] { return dnnl::matmul(desc); }, desc.scratchpad_desc(), desc.impl_info_str(), arguments);
  return plan;
}

}  // namespace

std::string GemmProblem::str() const {
  return fmt::format("{} [{}, {}, {}] x [{}, {}, {}] to {}{}{}{}", name_of(input), batch, m, k, batch, k, n,
                     name_of(output), options.transpose_a ? " transpose_a" : "",
                     options.transpose_b ? " transpose_b" : "", bias ? " bias" : "");
}

Plan& gemm_plan(OnednnContext& context, const GemmProblem& problem) {
  const PlanKey key{{kGemmKey, static_cast<std::int64_t>(problem.input), static_cast<std::int64_t>(problem.output),
                     problem.batch, problem.m, problem.n, problem.k, problem.options.transpose_a,
                     problem.options.transpose_b, problem.options.relu, problem.bias}};
  return context.plan(key, [&]() -> std::unique_ptr<Plan> {
    try {
      return make_gemm_plan(context, problem);
    } catch (const dnnl::error& error) {
      fail(ErrorKind::failure, "[gemm] no implementation for {} on this processor ({}); use f32", problem.str(),
           error.what());
    }
  });
}

}  // namespace graft
