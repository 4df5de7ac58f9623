#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace graft::testing {

/// How a graft process is started.
struct ProcessOptions {
  std::filesystem::path program = GRAFT_BINARY;
  std::optional<std::uint64_t> file_size_limit{};    ///< RLIMIT_FSIZE in bytes: a full disk
  bool as_nobody = false;                            ///< gives up root's right to write anywhere
  std::map<std::string, std::string> environment{};  ///< variables that are set in it
};

/// How it ended.
struct ProcessResult {
  int code = -1;   ///< exit code; -1 after a signal
  int signal = 0;  ///< that ended it
  std::string out;
  std::string error;
};

/// A graft process whose output goes to temporary files.
class GraftProcess {
 public:
  explicit GraftProcess(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  ~GraftProcess();
  GraftProcess(const GraftProcess&) = delete;
  GraftProcess& operator=(const GraftProcess&) = delete;

  void send(int signal) const;
  bool running();
  ProcessResult wait();

 private:
  std::string take(int descriptor) const;

  pid_t pid_ = -1;
  int out_ = -1;
  int error_ = -1;
  std::optional<int> status_;
};

ProcessResult run_graft(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// False where graft is built with GRAFT_CUDA=OFF.
bool has_emulated_device();

/// The lines of a text.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace graft::testing
