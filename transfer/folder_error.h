#pragma once

#include <filesystem>

#include "engine/base/error.h"

namespace graft {

/// A study's folder cannot be written (a full disk, a read-only one): no run can go on, so none is to blame.
class FolderError : public Error {
 public:
  using Error::Error;
};

/// Runs an action that does nothing but write to a study's folder; its failure becomes a FolderError.
template <class Action>
auto writing_to_folder(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::failure) throw;
    throw FolderError(error.what());
  }
}

/// Creates the folder that --output names, and those above it. Throws Error(failure).
void make_output_folder(const std::filesystem::path& folder);

}  // namespace graft
