#include <csignal>

#include "tools/backends.h"
#include "tools/command.h"

int main(int argc, char** argv) {
  // A full disk or a closed pipe is an error that a write reports, with the file's name, and no death without a word.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  graft::register_backends();
  return graft::run_command(argc, argv);
}
