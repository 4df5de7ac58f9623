#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "transfer/heartbeat.h"
#include "transfer/lease_file.h"

namespace graft {

/// What is known of another process of a study.
enum class Sign {
  ended,   ///< it has taken its sign of life away, or others have
  dead,    ///< it was killed: it ran on this machine and does not any more
  silent,  ///< no beat for as long as it promised, counted by this process's clock
  alive    ///< anything else: it may live
};

/// The signs of life of the other processes in a folder. Thread-safe.
class ProcessWatch {
 public:
  /// `self` is not one of the others. `silence` counts for a file that does not say how long it may stay as it is.
  ProcessWatch(std::filesystem::path folder, std::string self, std::chrono::milliseconds silence);

  struct Neighbour {
    std::string name;
    std::optional<ProcessSign> says;  ///< nothing: its writer was killed within creating the file
    Sign sign = Sign::alive;
  };
  /// Looks at one process now. A file that cannot be read is Error(failure).
  Neighbour look(const std::string& name);
  /// Looks at all there are. To be called a few times within a silence, so that the silent ones are known.
  std::vector<Neighbour> look_at_all();

 private:
  std::filesystem::path folder_;
  std::string self_;
  std::chrono::milliseconds silence_;
  SilenceWatch silences_;
};

}  // namespace graft
