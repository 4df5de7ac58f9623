#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "transfer/lease_file.h"
#include "transfer/process_watch.h"

namespace graft {

/// What becomes of a lease.
enum class LeaseState {
  held,      ///< by its process, while that gives signs of life
  released,  ///< anybody may take it
  recorded   ///< what it was for is done: nobody takes it any more
};

/// What a lease's file says.
struct LeaseEntry {
  std::string process;  ///< name of the process that took it
  std::string results;  ///< the file that this process records its results in
  LeaseState state = LeaseState::held;
};

/// A lease that this process took. Its file is NAME.GENERATION.
struct Lease {
  std::string name;
  int generation = 0;
};

/// Leases on names, kept as files in a folder that several processes share, on one machine or on many.
///
/// The lease on a name is its file of the highest generation. A free name is taken by creating generation 1, one whose
/// holder is gone by creating the next: both exclusively, so one process wins and the others are told. Then the files
/// of lower generations are removed, by which the former holder, should it only have been stopped, learns that it has
/// lost. The file of the highest generation is not removed while others may take leases; so who creates one from a look
/// that others have overtaken sees a higher one beside it, and gives way.
class LeaseFolder {
 public:
  /// `process` takes them and records in `results`; `watch` tells which others are gone. `silence` is the time that a
  /// file may stay empty, whose creator was killed within.
  LeaseFolder(std::filesystem::path folder, std::string process, ProcessWatch& watch,
              std::chrono::milliseconds silence);

  struct Answer {
    enum class Kind { taken, busy, recorded };
    Kind kind = Kind::busy;
    Lease lease{};                      ///< of `taken`
    std::optional<LeaseEntry> entry{};  ///< who holds or recorded it; of `taken`, who held it before
  };
  /// Takes a lease, or says why not. Throws Error(failure) if the folder cannot be read or written.
  Answer take(const std::string& name);
  /// Looks whether a lease is still this process's.
  bool holds(const Lease& lease) const;
  /// Says what becomes of a lease; false if it is no longer this process's.
  bool mark(const Lease& lease, LeaseState state);

  void set_results(std::string results) { results_ = std::move(results); }
  /// Removes all leases whose names are not `except`. To be called while nobody takes any.
  void clear(const std::string& except);

 private:
  std::filesystem::path file_of(const Lease& lease) const;
  int newest(const std::string& name) const;
  Answer occupied(const Lease& lease);

  std::filesystem::path folder_;
  std::string process_;
  std::string results_;
  ProcessWatch& watch_;
  std::chrono::milliseconds silence_;
  SilenceWatch empties_;
};

}  // namespace graft
