#pragma once

#include <filesystem>
#include <string>

namespace graft {

std::filesystem::path run_folder(const std::filesystem::path& study_folder, const std::string& run_id);
/// runs/<id>/checkpoint.safetensors: the weights after the last epoch, in the public names, shapes and layout.
std::filesystem::path checkpoint_path(const std::filesystem::path& study_folder, const std::string& run_id);

}  // namespace graft
