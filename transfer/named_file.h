#pragma once

#include <filesystem>

namespace graft {

/// The file that a study file names as `given`: from the current directory, else relative to the study file, else
/// beside it. Empty if it is at none of these.
std::filesystem::path find_named_file(const std::filesystem::path& given, const std::filesystem::path& study_file);

/// The last of the places where it looks.
std::filesystem::path beside(const std::filesystem::path& given, const std::filesystem::path& study_file);

}  // namespace graft
