#include "transfer/process_identity.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

namespace graft {
namespace {

/// Files of /proc have no size, and may be missing.
std::string text_of(const std::string& file) {
  std::ifstream stream(file);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

struct ProcessStatus {
  char state = '?';
  std::uint64_t start = 0;
};

/// Fields 3 and 22 of proc(5)'s /proc/PID/stat. The second, the program's name, may hold blanks and brackets.
std::optional<ProcessStatus> status_of(const std::string& pid) {
  const std::string text = text_of("/proc/" + pid + "/stat");
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(name_end + 1));
  ProcessStatus status;
  fields >> status.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  if (!(fields >> status.start)) return std::nullopt;
  return status;
}

std::string pid_namespace() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

}  // namespace

ProcessIdentity this_process() {
  ProcessIdentity self;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) self.host = name.data();
  self.boot = text_of("/proc/sys/kernel/random/boot_id");
  self.pids = pid_namespace();
  self.pid = static_cast<int>(::getpid());
  if (const auto status = status_of("self")) self.start = status->start;
  return self;
}

bool certainly_dead(const ProcessIdentity& process) {
  const ProcessIdentity here = this_process();
  if (here.boot.empty() || here.pids.empty() || process.boot != here.boot || process.pids != here.pids) return false;
  if (process.pid <= 0) return false;
  // /proc may hide the processes of other users; kill does not.
  if (::kill(process.pid, 0) != 0 && errno == ESRCH) return true;
  const auto status = status_of(std::to_string(process.pid));
  if (!status) return false;
  return status->state == 'Z' || status->state == 'X' || status->start != process.start;
}

}  // namespace graft
