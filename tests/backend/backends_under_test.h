#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/backends.h"
#ifdef GRAFT_WITH_CUDA_EMULATED
#include "cuda/emulator/thread_order.h"
#endif
#include "engine/backend/registry.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"

namespace graft::testing {

/// One backend that every kernel test runs on; a further one is one more line in backends_under_test().
struct BackendUnderTest {
  std::string name;  ///< letters and digits: part of the test's name
  std::function<std::unique_ptr<Backend>()> make;
};

inline std::vector<BackendUnderTest> backends_under_test() {
  std::vector<BackendUnderTest> backends{
      {"reference", [] { return make_reference_backend({}); }},
      {"cpu1thread", [] { return make_cpu_backend({.threads = 1}); }},
      {"cpu2threads", [] { return make_cpu_backend({.threads = 2}); }},
  };
#ifdef GRAFT_WITH_CUDA_EMULATED
  using cuda::emulator::ThreadOrder;
  const auto emulated = [&](const std::string& name, const ThreadOrder& order) {
    backends.push_back({name, [order] {
                          const cuda::emulator::ScopedThreadOrder scope(order);
                          return make_cuda_emulated_backend({});
                        }});
  };
  emulated("cudaEmulatedAscending", {ThreadOrder::Kind::ascending});
  emulated("cudaEmulatedDescending", {ThreadOrder::Kind::descending});
  emulated("cudaEmulatedRandom", {ThreadOrder::Kind::random, 7});
#endif
#ifdef GRAFT_WITH_CUDA
  if (cuda_device_present()) backends.push_back({"cuda", [] { return make_cuda_backend({}); }});
#endif
  return backends;
}

}  // namespace graft::testing
