#include "engine/cpu/conv_onednn.h"

#include <optional>
#include <utility>

namespace graft {
namespace {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

/// How oneDNN adds the residual: it reads a tensor of its own, or what is in y already.
enum class ResidualStep : std::uint8_t { none, binary, sum };

/// The convolution's parts in oneDNN's terms. "Plain" descriptors describe graft's tensors, the others what the
/// primitive is asked with.
struct OnednnConv {
  memory::desc plain_x, plain_w, plain_y, bias;
  memory::desc x, w, y;
  memory::dims strides, dilates, padding_begin, padding_end;
  dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
  dnnl::primitive_attr attributes;
  ConvResidual residual = ConvResidual::none;
  ResidualStep step = ResidualStep::none;
};

memory::desc any_layout(const memory::desc& plain, memory::data_type type) { return {plain.dims(), type, tag::any}; }

/// Weights [O, KH, KW, I] as oneDNN names their dimensions; with groups, these come first.
memory::desc weights_desc(const ConvProblem& problem, memory::data_type type) {
  const Shape& w = problem.w;
  const std::int64_t groups = problem.options.groups;
  if (groups == 1) return {{w[0], w[3], w[1], w[2]}, type, tag::ohwi};
  const std::int64_t pixel = w[3];
  const std::int64_t filter = w[1] * w[2] * pixel;
  return {{groups, w[0] / groups, w[3], w[1], w[2]}, type, {w[0] / groups * filter, filter, 1, w[2] * pixel, pixel}};
}

/// The pixels of x that a 1x1 filter with strides visits, as a view of x: [N, C, OH, OW].
memory::desc visited_pixels(const ConvProblem& problem, memory::data_type type) {
  const Shape& x = problem.x;
  const Shape& y = problem.y;
  const Extent2d& stride = problem.options.window.stride;
  const std::int64_t row = x[2] * x[3];
  return {{x[0], x[3], y[1], y[2]}, type, {x[1] * row, 1, stride.height * row, stride.width * x[3]}};
}

/// True iff the weights' gradient must be asked for over visited_pixels(). oneDNN 2.6 gathers them itself, in a buffer
/// of C numbers a pixel that it fills as if C were a multiple of its block of 8 or 16: otherwise threads write into
/// each other's part and past the end (execute_backward_weights in jit_avx2_1x1_convolution.cpp, rp.ws). It does so
/// only where the strides divide the image; only there can a view be described, too.
bool gather_before(const ConvProblem& problem) {
  const auto& [stride, dilation, padding] = problem.options.window;
  const bool divides = problem.y[1] * stride.height == problem.x[1] && problem.y[2] * stride.width == problem.x[2];
  return problem.kind == ConvKind::backward_weights && problem.w[1] == 1 && problem.w[2] == 1 &&
         padding == Padding2d{} && divides && (stride.height > 1 || stride.width > 1);
}

/// [+ residual] [then ReLU]
dnnl::post_ops epilogue(ResidualStep step, bool relu, const memory::desc& residual) {
  dnnl::post_ops post;
  if (step == ResidualStep::binary) post.append_binary(dnnl::algorithm::binary_add, residual);
  if (step == ResidualStep::sum) post.append_sum(1.0f);
  if (relu) post.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
  return post;
}

OnednnConv describe(const ConvProblem& problem, OnednnConvLayout layout, ResidualStep step = ResidualStep::none) {
  const auto type = problem.dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  const bool weights_gradient = problem.kind == ConvKind::backward_weights;
  const auto& [stride, dilation, padding] = problem.options.window;
  const Shape& x = problem.x;
  const Shape& y = problem.y;
  OnednnConv conv;
  conv.plain_x = {{x[0], x[3], x[1], x[2]}, type, tag::nhwc};
  conv.plain_w = weights_desc(problem, weights_gradient ? memory::data_type::f32 : type);
  conv.plain_y = {{y[0], y[3], y[1], y[2]}, type, tag::nhwc};
  if (problem.bias) conv.bias = {{y[3]}, memory::data_type::f32, tag::x};
  const bool plain = layout == OnednnConvLayout::plain;
  conv.x = plain ? conv.plain_x : any_layout(conv.plain_x, type);
  conv.w = any_layout(conv.plain_w, conv.plain_w.data_type());
  conv.y = plain ? conv.plain_y : any_layout(conv.plain_y, type);
  conv.strides = {stride.height, stride.width};
  conv.dilates = {dilation.height - 1, dilation.width - 1};
  // The window may not reach the last rows: oneDNN wants the padding that makes the extents come out even.
  conv.padding_begin = {padding.top, padding.left};
  conv.padding_end = {(y[1] - 1) * stride.height + dilation.height * (problem.w[1] - 1) + 1 - x[1] - padding.top,
                      (y[2] - 1) * stride.width + dilation.width * (problem.w[2] - 1) + 1 - x[2] - padding.left};
  if (gather_before(problem)) {
    conv.plain_x = visited_pixels(problem, type);
    conv.x = plain ? memory::desc(conv.plain_x.dims(), type, tag::nhwc) : any_layout(conv.plain_x, type);
    conv.strides = {1, 1};
    conv.padding_end = {0, 0};
  }
  if (layout == OnednnConvLayout::winograd_blocked) conv.algorithm = dnnl::algorithm::convolution_winograd;
  conv.attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (problem.kind == ConvKind::forward) {
    conv.residual = problem.residual;
    conv.step = step;
    conv.attributes.set_post_ops(epilogue(step, problem.options.relu, conv.plain_y));
  }
  return conv;
}

dnnl::convolution_forward::primitive_desc forward_desc(const OnednnConv& conv, const dnnl::engine& engine) {
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_training, conv.algorithm, conv.x, conv.w,
                                             conv.bias, conv.y, conv.strides, conv.dilates, conv.padding_begin,
                                             conv.padding_end);
  return {desc, conv.attributes, engine};
}

/// Takes the first implementation that is not one of oneDNN's reference loops; false if there is none.
template <class PrimitiveDesc>
bool skip_reference(PrimitiveDesc& desc) {
  while (is_reference_implementation(desc.impl_info_str())) {
    if (!desc.next_impl()) return false;
  }
  return true;
}

/// True iff an image in layout `wanted` has its bytes where NHWC has them: one block of 16 channels, or one channel.
bool same_bytes(const memory::desc& plain, const memory::desc& wanted) {
  const memory::dims dims = plain.dims();
  if (plain == wanted) return true;
  if (dims.size() != 4 || (dims[1] != 16 && dims[1] != 1)) return false;
  if (plain != memory::desc(dims, plain.data_type(), tag::nhwc)) return false;  // weights
  return wanted == memory::desc(dims, plain.data_type(), dims[1] == 16 ? tag::nChw16c : tag::nchw);
}

/// A plan under construction: memories of the call's arguments, with reorders where a primitive wants another layout.
class ConvPlanBuilder {
 public:
  explicit ConvPlanBuilder(const OnednnContext& context)
      : plan_(std::make_unique<OnednnPlan>(context.engine(), context.stream())) {}

  /// The memory that the primitive reads as `wanted`.
  int input(PlanArgument which, const memory::desc& plain, const memory::desc& wanted) {
    if (same_bytes(plain, wanted)) return plan_->argument(which, wanted);
    const int given = plan_->argument(which, plain);
    const int reordered = plan_->scratch(wanted);
    plan_->add_reorder(given, reordered);
    return reordered;
  }

  /// The memory that the primitive writes as `wanted`; finish() brings it into the argument's layout.
  int output(PlanArgument which, const memory::desc& plain, const memory::desc& wanted) {
    if (same_bytes(plain, wanted)) return plan_->argument(which, wanted);
    const int result = plan_->argument(which, plain);
    const int written = plan_->scratch(wanted);
    pending_ = {{written, result}};
    return written;
  }

  /// Brings the residual to where the primitive sums, the memory `written` that output() gave.
  void residual_into(int written, ConvResidual residual, const memory::desc& plain) {
    if (residual == ConvResidual::in_place && !pending_) return;
    const bool apart = residual == ConvResidual::apart;
    plan_->add_reorder(argument(apart ? PlanArgument::residual : PlanArgument::destination, plain), written);
  }

  int argument(PlanArgument which, const memory::desc& desc) { return plan_->argument(which, desc); }
  OnednnPlan& plan() { return *plan_; }

  std::unique_ptr<Plan> finish() {
    if (pending_) plan_->add_reorder(pending_->first, pending_->second);
    return std::move(plan_);
  }

 private:
  std::unique_ptr<OnednnPlan> plan_;
  std::optional<std::pair<int, int>> pending_;
};

std::unique_ptr<Plan> forward_plan(const OnednnContext& context, const OnednnConv& conv) {
  auto desc = forward_desc(conv, context.engine());
  if (!skip_reference(desc)) return nullptr;
  ConvPlanBuilder builder(context);
  const int x = builder.input(PlanArgument::source, conv.plain_x, desc.src_desc());
  const int w = builder.input(PlanArgument::weights, conv.plain_w, desc.weights_desc());
  const int y = builder.output(PlanArgument::destination, conv.plain_y, desc.dst_desc());
  std::vector<std::pair<int, int>> arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}};
  if (!conv.bias.is_zero()) {
    arguments.emplace_back(DNNL_ARG_BIAS, builder.argument(PlanArgument::bias, conv.bias));
  }
  if (conv.step == ResidualStep::sum) builder.residual_into(y, conv.residual, conv.plain_y);
  if (conv.step == ResidualStep::binary) {
    arguments.emplace_back(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1,
                           builder.argument(PlanArgument::residual, conv.plain_y));
  }
  builder.plan().add([desc] { return dnnl::convolution_forward(desc); }, desc.scratchpad_desc(), desc.impl_info_str(),
                     arguments);
  return builder.finish();
}

/// What `make` gives; nothing where oneDNN says that it has no such implementation.
template <class Make>
auto where_implemented(const Make& make) -> decltype(make()) {
  try {
    return make();
  } catch (const dnnl::error& error) {
    if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
  }
  return {};
}

/// A residual apart from y is read by the primitive itself where one of oneDNN's own kernels does that; elsewhere it is
/// copied into y first. oneDNN's convolution over gemm adds the wrong pixels of it where there are groups.
std::unique_ptr<Plan> forward_plan(const OnednnContext& context, const ConvProblem& problem, OnednnConvLayout layout) {
  if (problem.residual == ConvResidual::none) return forward_plan(context, describe(problem, layout));
  if (problem.residual == ConvResidual::apart && layout == OnednnConvLayout::plain) {
    const OnednnConv binary = describe(problem, layout, ResidualStep::binary);
    const std::string name =
        where_implemented([&]() -> std::string { return forward_desc(binary, context.engine()).impl_info_str(); });
    if (name.starts_with("jit") || name.starts_with("brg")) return forward_plan(context, binary);
  }
  return forward_plan(context, describe(problem, layout, ResidualStep::sum));
}

std::unique_ptr<Plan> backward_data_plan(const OnednnContext& context, const OnednnConv& conv) {
  const dnnl::convolution_backward_data::desc wanted(conv.algorithm, conv.x, conv.w, conv.y, conv.strides, conv.dilates,
                                                     conv.padding_begin, conv.padding_end);
  dnnl::convolution_backward_data::primitive_desc desc(wanted, conv.attributes, context.engine(),
                                                       forward_desc(conv, context.engine()));
  if (!skip_reference(desc)) return nullptr;
  ConvPlanBuilder builder(context);
  const std::vector<std::pair<int, int>> arguments{
      {DNNL_ARG_DIFF_DST, builder.input(PlanArgument::source, conv.plain_y, desc.diff_dst_desc())},
      {DNNL_ARG_WEIGHTS, builder.input(PlanArgument::weights, conv.plain_w, desc.weights_desc())},
      {DNNL_ARG_DIFF_SRC, builder.output(PlanArgument::destination, conv.plain_x, desc.diff_src_desc())}};
  builder.plan().add([desc] { return dnnl::convolution_backward_data(desc); }, desc.scratchpad_desc(),
                     desc.impl_info_str(), arguments);
  return builder.finish();
}

std::unique_ptr<Plan> backward_weights_plan(const OnednnContext& context, const OnednnConv& conv) {
  OnednnConv hint = conv;
  if (conv.plain_x.data_type() == memory::data_type::bf16) {
    hint.w = any_layout(conv.plain_w, memory::data_type::bf16);
  }
  const dnnl::convolution_backward_weights::desc wanted(conv.algorithm, conv.x, conv.w, conv.bias, conv.y, conv.strides,
                                                        conv.dilates, conv.padding_begin, conv.padding_end);
  dnnl::convolution_backward_weights::primitive_desc desc(wanted, conv.attributes, context.engine(),
                                                          forward_desc(hint, context.engine()));
  if (!skip_reference(desc)) return nullptr;
  ConvPlanBuilder builder(context);
  std::vector<std::pair<int, int>> arguments{
      {DNNL_ARG_SRC, builder.input(PlanArgument::source, conv.plain_x, desc.src_desc())},
      {DNNL_ARG_DIFF_DST, builder.input(PlanArgument::weights, conv.plain_y, desc.diff_dst_desc())},
      {DNNL_ARG_DIFF_WEIGHTS, builder.output(PlanArgument::destination, conv.plain_w, desc.diff_weights_desc())}};
  if (!conv.bias.is_zero()) {
    arguments.emplace_back(DNNL_ARG_DIFF_BIAS, builder.argument(PlanArgument::bias, conv.bias));
  }
  builder.plan().add([desc] { return dnnl::convolution_backward_weights(desc); }, desc.scratchpad_desc(),
                     desc.impl_info_str(), arguments);
  return builder.finish();
}

}  // namespace

bool is_reference_implementation(const std::string& name) { return name.find("ref") != std::string::npos; }

std::unique_ptr<Plan> make_onednn_conv_plan(const OnednnContext& context, const ConvProblem& problem,
                                            OnednnConvLayout layout) {
  return where_implemented([&] {
    switch (problem.kind) {
      case ConvKind::forward:
        return forward_plan(context, problem, layout);
      case ConvKind::backward_data:
        return backward_data_plan(context, describe(problem, layout));
      default:
        return backward_weights_plan(context, describe(problem, layout));
    }
  });
}

}  // namespace graft
