#include "transfer/folder_error.h"

#include <system_error>

#include "engine/io/descriptor.h"

namespace graft {

void make_output_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return;
  fail(ErrorKind::failure, "{}: cannot create the folder: {}; give another one with --output", folder.string(),
       system_reason(error.value()));
}

}  // namespace graft
