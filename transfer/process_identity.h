#pragma once

#include <cstdint>
#include <string>

namespace graft {

/// Which process of which machine: enough to tell, from another process of the same machine, whether it still runs.
struct ProcessIdentity {
  std::string host{};       ///< its name, for people: two machines may have the same
  std::string boot{};       ///< /proc/sys/kernel/random/boot_id: of one start of one machine; "" if not known
  std::string pids{};       ///< /proc/self/ns/pid: the namespace (a container's) that pid belongs to
  int pid = 0;              ///< within that namespace
  std::uint64_t start = 0;  ///< clock ticks from the machine's start to the process's: pids come round again
};

ProcessIdentity this_process();

/// True only for a process of this start of this machine and of this process's pid namespace that is not there any more
/// or has ended and waits for its parent. False for all others, living or not: nothing is known of them.
bool certainly_dead(const ProcessIdentity& process);

}  // namespace graft
