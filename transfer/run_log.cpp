#include "transfer/run_log.h"

#include <fcntl.h>

#include <cerrno>
#include <span>
#include <system_error>

namespace graft {

RunLog::RunLog(const std::filesystem::path& folder) : path_(folder / "log.txt") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail_system(ErrorKind::failure, folder, "create the folder", error.value());
  // A process that had this run before, and does not know yet that it has lost it, keeps the file that it has.
  std::filesystem::remove(path_, error);
  file_ = Descriptor(::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666));
  if (!file_.is_open()) fail_system(ErrorKind::failure, path_, "create", errno);
}

void RunLog::line(const std::string& text) {
  const std::string whole = text + '\n';
  if (!write_all(file_.get(), std::as_bytes(std::span(whole)))) fail_system(ErrorKind::failure, path_, "write", errno);
}

}  // namespace graft
