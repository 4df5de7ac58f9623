#include "cuda/emulator/device_plan.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

#include "engine/base/error.h"

namespace graft::cuda::emulator {

namespace {

constexpr const char* kVariable = "GRAFT_EMULATED_DEVICE";

/// True iff the entry is this key's.
template <class T>
bool read(std::string_view entry, std::string_view key, T& value) {
  if (!entry.starts_with(key) || entry.substr(key.size(), 1) != "=") return false;
  const std::string_view text = entry.substr(key.size() + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    fail(ErrorKind::usage, "{}: {} is not a number in '{}'", kVariable, text, entry);
  return true;
}

DevicePlan plan_from_environment() {
  DevicePlan plan;
  const char* variable = std::getenv(kVariable);
  std::string_view rest = variable == nullptr ? "" : variable;
  while (!rest.empty()) {
    const std::string_view entry = rest.substr(0, rest.find(','));
    rest.remove_prefix(entry.size() == rest.size() ? entry.size() : entry.size() + 1);
    const bool known = read(entry, "memory", plan.memory) || read(entry, "driver", plan.driver_version) ||
                       read(entry, "devices", plan.devices) || read(entry, "architecture", plan.architecture) ||
                       read(entry, "multiprocessors", plan.multiprocessors) || read(entry, "launches", plan.launches) ||
                       read(entry, "deferred", plan.deferred);
    if (!known) {
      fail(ErrorKind::usage,
           "{}: '{}' is not known: give memory, driver, devices, architecture, multiprocessors, launches or deferred",
           kVariable, entry);
    }
  }
  return plan;
}

}  // namespace

const DevicePlan& device_plan() {
  static const DevicePlan plan = plan_from_environment();
  return plan;
}

}  // namespace graft::cuda::emulator
