#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace graft {

// Small files through which the processes of a study speak, perhaps over a network file system. Each call opens and
// closes its file: that is when such a file system passes on what was written and looks for what others wrote (close-
// to-open consistency, nfs(5)). Nothing is flushed to the disk: after a power failure no process is left to be told.

/// Creates a file with this text; false if it is there already. Of several processes one succeeds. A process killed
/// within leaves it empty. Throws Error(failure) naming it.
bool create_exclusively(const std::filesystem::path& file, const std::string& text);
/// Its text; nothing if it is not there. Throws Error(failure).
std::optional<std::string> read_if_there(const std::filesystem::path& file);
/// Writes a text of the same length over a file's; false if it is not there. Throws Error(failure).
bool overwrite(const std::filesystem::path& file, const std::string& text);

/// How long texts have stayed as they are. Time is counted by this process's own clock, from one look to the next, so
/// that clocks of machines are never compared; one pair of looks counts a quarter of a limit at most, so that a process
/// that was stopped itself, or whose file system hung, finds nobody silent before it has looked again. Thread-safe.
class SilenceWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// Looks at a text; true if it has been the same for `limit`.
  bool silent(const std::string& key, const std::string& text, std::chrono::milliseconds limit,
              Clock::time_point now = Clock::now());
  void forget(const std::string& key);

 private:
  struct Seen {
    std::string text;
    Clock::time_point last;
    Clock::duration unchanged{};
  };
  std::mutex mutex_;
  std::map<std::string, Seen> seen_;
};

}  // namespace graft
