#include "tests/tools/graft_process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace graft::testing {
namespace {

int temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "graft-output-XXXXXX").string();
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0) throw std::runtime_error("no temporary file");
  unlink(name.c_str());
  return descriptor;
}

/// In the child, before exec. The limit does not meet the output files: those stay small.
bool prepare(const ProcessOptions& options) {
  if (options.file_size_limit) {
    const rlimit limit{*options.file_size_limit, *options.file_size_limit};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
  }
  for (const auto& [name, value] : options.environment) {
    if (setenv(name.c_str(), value.c_str(), 1) != 0) return false;
  }
  constexpr uid_t kNobody = 65534;
  if (options.as_nobody && geteuid() == 0) {
    if (setgroups(0, nullptr) != 0 || setgid(kNobody) != 0 || setuid(kNobody) != 0) return false;
  }
  return true;
}

}  // namespace

GraftProcess::GraftProcess(const std::vector<std::string>& arguments, const ProcessOptions& options)
    : out_(temporary_file()), error_(temporary_file()) {
  std::vector<std::string> words{options.program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // Opened before rights are given up: a build folder need not be open to everybody.
  const int program = open(options.program.c_str(), O_RDONLY | O_CLOEXEC);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) {
    close(program);
    return;
  }
  if (prepare(options) && dup2(out_, STDOUT_FILENO) >= 0 && dup2(error_, STDERR_FILENO) >= 0) {
    fexecve(program, argv.data(), environ);
  }
  _exit(127);
}

GraftProcess::~GraftProcess() {
  if (!status_) {
    send(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
  close(error_);
}

void GraftProcess::send(int signal) const { kill(pid_, signal); }

bool GraftProcess::running() {
  if (status_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return !status_;
}

ProcessResult GraftProcess::wait() {
  if (!status_) {
    int status = 0;
    waitpid(pid_, &status, 0);
    status_ = status;
  }
  ProcessResult result;
  if (WIFEXITED(*status_)) result.code = WEXITSTATUS(*status_);
  if (WIFSIGNALED(*status_)) result.signal = WTERMSIG(*status_);
  result.out = take(out_);
  result.error = take(error_);
  return result;
}

std::string GraftProcess::take(int descriptor) const {
  std::string text;
  std::array<char, 4096> buffer{};
  off_t offset = 0;
  for (ssize_t got = 0; (got = pread(descriptor, buffer.data(), buffer.size(), offset)) > 0; offset += got) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

bool has_emulated_device() { return run_graft({"devices"}).out.find("cuda-emulated") != std::string::npos; }

ProcessResult run_graft(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  return GraftProcess(arguments, options).wait();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace graft::testing
