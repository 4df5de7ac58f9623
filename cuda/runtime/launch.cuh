#pragma once

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>

#include "cuda/device.cuh"
#include "cuda/runtime/check.h"
#include "cuda/runtime/kernel_timer.h"
#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// What a launch is, beside the kernel and its arguments. `kernel` names it in errors, profiles and tables.
struct LaunchConfig {
  const char* kernel = "";
  dim3 grid{};
  dim3 block{};  ///< a multiple of 32 threads
  std::size_t shared_bytes = 0;
};

/// The one place where kernels are launched. Nothing is launched for an empty grid.
template <class... Parameters, class... Arguments>
void launch(const Stream& stream, const LaunchConfig& config, void (*kernel)(Parameters...),
            const Arguments&... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...), "kernels take plain values");
  if (config.grid.x == 0 || config.grid.y == 0 || config.grid.z == 0) return;
  if (KernelTimer* timer = stream.timer(); timer != nullptr) [[unlikely]]
    timer->begin(config.kernel);
#ifdef GRAFT_CUDA_EMULATED
  check_cuda(emulator::launch_kernel(
                 stream.handle(), {config.kernel, config.grid, config.block, config.shared_bytes},
                 [kernel, values = std::tuple<Parameters...>(arguments...)] { std::apply(kernel, values); }),
             config.kernel);
#else
  constexpr std::size_t kSharedWithoutAsking = std::size_t{48} << 10;
  if (config.shared_bytes > kSharedWithoutAsking) {
    check_cuda(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(config.shared_bytes)),
               config.kernel);
  }
  std::tuple<Parameters...> values(arguments...);
  std::apply(
      [&](auto&... value) {
        void* pointers[] = {static_cast<void*>(&value)..., nullptr};
        check_cuda(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), config.grid, config.block, pointers,
                                    config.shared_bytes, stream.handle()),
                   config.kernel);
      },
      values);
#endif
  if (KernelTimer* timer = stream.timer(); timer != nullptr) [[unlikely]]
    timer->end();
}

/// Blocks of a grid-stride kernel over `items` items: enough for one item a thread, at most `blocks_a_multiprocessor`
/// on each multiprocessor.
inline dim3 grid_stride_blocks(const Stream& stream, std::int64_t items, int threads, int blocks_a_multiprocessor = 8) {
  const std::int64_t wanted = (items + threads - 1) / threads;
  const std::int64_t limit = std::int64_t{stream.device().multiprocessors} * blocks_a_multiprocessor;
  return {static_cast<unsigned>(wanted < limit ? wanted : limit), 1, 1};
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
