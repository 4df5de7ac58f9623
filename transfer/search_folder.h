#pragma once

#include <filesystem>

#include "engine/io/descriptor.h"
#include "transfer/runner.h"

namespace graft {

/// A search's folder while one process works on it:
///   study.yaml, manifest.json, search.jsonl, lock, runs/<id>/{log.txt, checkpoint.safetensors}, features/
class SearchFolder {
 public:
  /// Creates the folder where it is missing and locks it until destruction, or the end of the process however it comes.
  /// Throws Error(failure) if another process holds it or it cannot be written, Error(data) if it holds the results of
  /// a study.
  explicit SearchFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  /// Writes study.yaml, or throws Error(data) naming what differs from the one that is there; adds this start to
  /// manifest.json; brings the source's published weights in, where runs read them.
  void begin(const RunnerOptions& options, const PreparedStudy& prepared) const;

 private:
  std::filesystem::path path_;
  Descriptor lock_;
};

}  // namespace graft
