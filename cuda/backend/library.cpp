#include <algorithm>
#include <array>

#include "cuda/backend/cuda_backend.h"
#include "cuda/kernels/bias_relu.h"
#include "cuda/library/build.h"
#include "engine/base/error.h"

// Products by libraries, where BackendOptions ask for them.
namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

/// What `make` gives; nothing where the option leaves the choice and the machine has no such library.
template <class Make>
auto open(const std::string& option, bool with, const Make& make) -> decltype(make()) {
  if (option == "native" || !with) return nullptr;
  if (option != "auto") return make();
  try {
    return make();
  } catch (const Error&) {
    return nullptr;
  }
}

bool aligned(const CudaBackend::ConvTensors& tensors) {
  const std::array<const void*, 4> addresses{tensors.x, tensors.w, tensors.y, tensors.scratch};
  return std::all_of(addresses.begin(), addresses.end(), [](const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % ConvLibrary::kAlignment == 0;
  });
}

/// How a record names a convolution.
std::string text_of(ConvPass pass, const ConvProblem& p, DType dtype) {
  constexpr const char* kPasses[] = {"forward", "backward_data", "backward_weights"};
  return fmt::format("conv2d_{} {} {}x{}x{}x{} {}x{}x{} /{}x{} dilation {}x{} padding {},{},{},{} groups {}",
                     kPasses[static_cast<int>(pass)], name_of(dtype), p.batch, p.height, p.width, p.channels,
                     p.out_channels, p.kernel_height, p.kernel_width, p.stride.height, p.stride.width,
                     p.dilation.height, p.dilation.width, p.padding.top, p.padding.left, p.padding.bottom,
                     p.padding.right, p.groups);
}

}  // namespace

void CudaBackend::open_libraries() {
  gemm_library_ = open(options_.gemm, kWithCublas, [this] { return make_cublas_gemm(stream_); });
  conv_library_ = open(options_.conv, kWithCudnn, [this] { return make_cudnn_conv(stream_, options_.tf32); });
}

void CudaBackend::multiply(const GemmProblem& problem, const void* a, const void* b, const float* bias, void* scratch,
                           void* c, const std::function<void()>& native) {
  if (gemm_library_ == nullptr) return native();
  const auto library = [&] { gemm_library_->gemm(problem, a, b, bias, scratch, c); };
  if (options_.gemm == "cublas") return library();
  const std::string shape = fmt::format("gemm {} {} {}{} {}x{}x{}x{}", name_of(problem.input), name_of(problem.output),
                                        problem.transpose_a ? "t" : "n", problem.transpose_b ? "t" : "n", problem.batch,
                                        problem.m, problem.n, problem.k);
  chooser_.run(stream_, shape, {"native", native}, {"cublas", library});
}

std::size_t CudaBackend::multiply_scratch_bytes(const GemmProblem& problem, std::size_t native) const {
  return gemm_library_ == nullptr ? native : std::max(native, gemm_library_->scratch_bytes(problem));
}

void CudaBackend::convolve(ConvPass pass, const ConvProblem& problem, DType dtype, const ConvTensors& tensors,
                           const std::function<void()>& native) {
  // Bias and residual go on in f32, before y is rounded: the library gives y rounded, and where it lies.
  const auto& [bias, residual, relu] = tensors.epilogue;
  const bool rounded = (bias != nullptr || residual != nullptr) && dtype != DType::f32;
  const bool overwritten = residual != nullptr && residual == tensors.y;
  if (conv_library_ == nullptr || rounded || overwritten || !aligned(tensors) ||
      !conv_library_->supports(pass, problem, dtype))
    return native();
  const auto library = [&] {
    conv_library_->run(pass, problem, dtype, tensors.x, tensors.w, tensors.y, tensors.scratch);
    const ConvEpilogue& epilogue = tensors.epilogue;
    if (epilogue.bias == nullptr && epilogue.residual == nullptr && !epilogue.relu) return;
    bias_relu(stream_, dtype, dtype, tensors.y, epilogue.bias, epilogue.residual, epilogue.relu, problem.out_pixels(),
              problem.out_channels, tensors.y);
  };
  if (options_.conv == "cudnn") return library();
  chooser_.run(stream_, text_of(pass, problem, dtype), {"native", native}, {"cudnn", library});
}

std::size_t CudaBackend::convolve_scratch_bytes(ConvPass pass, const ConvProblem& problem, DType dtype,
                                                std::size_t native) const {
  return conv_library_ == nullptr ? native : std::max(native, conv_library_->scratch_bytes(pass, problem, dtype));
}

std::map<std::string, std::string> CudaBackend::choices() const {
  std::map<std::string, std::string> all = chooser_.choices();
  if (gemm_library_ != nullptr) all["gemm library"] = gemm_library_->name();
  if (conv_library_ != nullptr) all["conv library"] = conv_library_->name();
  return all;
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
