#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "transfer/process_identity.h"

namespace graft {

/// Where a process of a study stands: it takes runs only while it works.
enum class ProcessState { starting, working, ending };

/// What the file process-NAME in a study's folder leases/ says of the process that writes it.
struct ProcessSign {
  ProcessIdentity identity{};
  std::chrono::milliseconds silence{};  ///< without a beat for so long, others take over its runs
  ProcessState state = ProcessState::starting;
  std::uint64_t beat = 0;  ///< grows
};
/// All texts of one process have the same length: they are written over each other.
std::string text_of(const ProcessSign& sign);
/// Nothing for a text that is none, such as a file whose writer was killed within creating it.
std::optional<ProcessSign> parse_process_sign(const std::string& text);

/// The sign of life of this process in a folder: a file that a thread rewrites twelve times within `silence`, and that
/// goes with this object. Thread-safe.
class Heartbeat {
 public:
  /// The process's name is "LABEL-XXXXXXXX", with random digits, so that no two processes ever have the same one.
  /// Throws Error(failure) if the folder cannot be written.
  Heartbeat(std::filesystem::path folder, const std::string& label, std::chrono::milliseconds silence);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  const std::string& name() const { return name_; }
  void set_state(ProcessState state);
  /// Looks: false if others have removed the file, because they took this process for dead.
  bool stands() const;
  /// Called by the thread after every beat, and nothing before; nothing ends it. It may not throw.
  void on_beat(std::function<void()> action);

 private:
  void beat_locked();
  void beat_until(const std::stop_token& stop);

  std::string name_;
  std::filesystem::path file_;
  std::mutex mutex_;  ///< of what follows
  ProcessSign sign_;
  std::function<void()> action_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

std::filesystem::path process_file(const std::filesystem::path& leases, const std::string& name);
inline constexpr const char* kProcessPrefix = "process-";

}  // namespace graft
