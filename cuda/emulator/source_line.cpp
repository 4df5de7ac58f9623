#include "cuda/emulator/source_line.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

namespace graft::cuda::emulator {

namespace {

std::string_view shortened(std::string_view path) {
  const std::size_t at = path.rfind("/cuda/");
  const std::size_t tests = path.rfind("/tests/");
  if (tests != std::string_view::npos && (at == std::string_view::npos || tests < at)) return path.substr(tests + 1);
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

/// A frame that only passes on what a kernel asked for.
bool is_plumbing(std::string_view file) {
  const std::string_view path = shortened(file);
  return path.starts_with("cuda/emulator/") || path == "cuda/device.cuh" || path.starts_with("cuda/kernels/device/") ||
         file.starts_with("??") || file.find("/include/c++/") != std::string_view::npos;
}

struct Place {
  std::string text;
  bool is_line = false;
};

/// Asks addr2line for the place of a pc's call.
Place look_up(const void* pc) {
  Dl_info module{};
  if (pc == nullptr || dladdr(pc, &module) == 0) return {.text = "an unknown line"};
  // A return address lies behind its call: the byte before belongs to the call.
  const auto offset = reinterpret_cast<std::uintptr_t>(pc) - reinterpret_cast<std::uintptr_t>(module.dli_fbase) - 1;
  const std::string place = fmt::format("{}+{:#x}", module.dli_fname, offset);
  const std::string command = fmt::format("addr2line -i -e '{}' {:#x} 2>/dev/null", module.dli_fname, offset);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) return {.text = place};
  std::string innermost;
  std::string found;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) {
    std::string_view line(buffer);
    line = line.substr(0, line.find_first_of(" \n"));
    const std::string_view file = line.substr(0, line.rfind(':'));
    if (innermost.empty() && !file.starts_with("??")) innermost = shortened(line);
    if (found.empty() && !is_plumbing(file)) found = shortened(line);
  }
  if (!found.empty()) return {.text = found, .is_line = true};
  if (!innermost.empty()) return {.text = innermost, .is_line = true};
  return {.text = place};
}

Place place_of(const void* pc) {
  static std::mutex mutex;
  static std::map<const void*, Place> known;
  const std::lock_guard lock(mutex);
  const auto entry = known.try_emplace(pc);
  if (entry.second) entry.first->second = look_up(pc);
  return entry.first->second;
}

}  // namespace

std::string source_line(const void* pc) { return place_of(pc).text; }
bool has_source_line(const void* pc) { return place_of(pc).is_line; }

}  // namespace graft::cuda::emulator
