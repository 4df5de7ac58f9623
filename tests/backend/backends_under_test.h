#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

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
  return {
      {"reference", [] { return make_reference_backend({}); }},
      {"cpu1thread", [] { return make_cpu_backend({.threads = 1}); }},
      {"cpu2threads", [] { return make_cpu_backend({.threads = 2}); }},
  };
}

}  // namespace graft::testing
