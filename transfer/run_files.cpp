#include "transfer/run_files.h"

namespace graft {

namespace fs = std::filesystem;

fs::path run_folder(const fs::path& study_folder, const std::string& run_id) { return study_folder / "runs" / run_id; }

fs::path checkpoint_path(const fs::path& study_folder, const std::string& run_id) {
  return run_folder(study_folder, run_id) / "checkpoint.safetensors";
}

}  // namespace graft
