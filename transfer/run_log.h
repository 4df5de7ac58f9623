#pragma once

#include <filesystem>
#include <string>

#include "engine/io/descriptor.h"

namespace graft {

/// runs/<id>/log.txt: what a run reports while it trains, for people. Begun anew with each try; not flushed to the
/// disk.
class RunLog {
 public:
  /// Creates `folder` and the log. Throws Error(failure) naming the file.
  explicit RunLog(const std::filesystem::path& folder);
  void line(const std::string& text);

 private:
  std::filesystem::path path_;
  Descriptor file_;
};

}  // namespace graft
