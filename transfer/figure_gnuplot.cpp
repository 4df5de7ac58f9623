#include "transfer/figure_gnuplot.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "engine/base/error.h"

namespace graft {
namespace {

/// A file in memory that a child process reads or writes; nothing is left on disk.
class MemoryFile {
 public:
  explicit MemoryFile(const char* name) : descriptor_(::memfd_create(name, MFD_CLOEXEC)) {
    check(descriptor_ >= 0, "[figure] no memory for gnuplot's {}: {}", name, std::strerror(errno));
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int descriptor() const { return descriptor_; }

  void fill(const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
      const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
      check(written > 0, "[figure] cannot pass the script to gnuplot: {}", std::strerror(errno));
      done += static_cast<std::size_t>(written);
    }
    ::lseek(descriptor_, 0, SEEK_SET);
  }

  std::string contents() const {
    std::string text;
    std::array<char, 65536> buffer{};
    off_t offset = 0;
    for (;;) {
      const ssize_t count = ::pread(descriptor_, buffer.data(), buffer.size(), offset);
      check(count >= 0, "[figure] cannot read gnuplot's output: {}", std::strerror(errno));
      if (count == 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(count));
      offset += count;
    }
  }

 private:
  int descriptor_;
};

/// Starts gnuplot with its three streams on memory files; the exit status, or -errno if it did not start.
int spawn_and_wait(const MemoryFile& input, const MemoryFile& output, const MemoryFile& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.descriptor(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.descriptor(), STDERR_FILENO);
  std::string program = "gnuplot";
  std::string defaults = "-d";  // neither the system's nor the user's start-up file
  std::string locale = "LC_ALL=C.UTF-8";
  std::array<char*, 3> arguments{program.data(), defaults.data(), nullptr};
  std::array<char*, 2> environment{locale.data(), nullptr};
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) return -code;
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  return line;
}

std::string escaped(std::string text) {
  replace_all(text, "&", "&amp;");
  replace_all(text, "<", "&lt;");
  replace_all(text, "\"", "&quot;");
  return text;
}

}  // namespace

std::string run_gnuplot(const std::string& script) {
  MemoryFile input("script");
  const MemoryFile output("figure");
  const MemoryFile errors("messages");
  input.fill(script);
  const int status = spawn_and_wait(input, output, errors);
  if (status == -ENOENT) throw Error("[figure] gnuplot is not installed: apt-get install gnuplot-nox");
  check(status >= 0, "[figure] gnuplot does not start: {}", std::strerror(-status));
  std::string svg = output.contents();
  check(status == 0 && svg.find("</svg>") != std::string::npos, "[figure] gnuplot drew nothing: {}",
        one_line(errors.contents()));
  return svg;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string inline_svg(const std::string& svg, const std::string& prefix, const std::string& label) {
  const std::size_t start = svg.find("<svg");
  check(start != std::string::npos, "[figure] gnuplot's output holds no <svg");
  std::string text = svg.substr(start);
  replace_all(text, "id='", "id='" + prefix + "-");
  replace_all(text, "id=\"", "id=\"" + prefix + "-");
  replace_all(text, "href='#", "href='#" + prefix + "-");
  replace_all(text, "url(#", "url(#" + prefix + "-");
  for (const char* quote : {"'", "\""}) {
    for (const char* black : {"black", "rgb(  0,   0,   0)", "rgb(0,0,0)"}) {
      replace_all(text, std::string(quote) + black + quote, std::string(quote) + "currentColor" + quote);
    }
  }
  replace_all(text, "color='white'", "style='color:var(--page,#fff)'");  // the halo around a point on an error bar
  replace_all(text, "<title>" + prefix + "</title>", "<title>" + escaped(label) + "</title>");
  text.insert(4, " role=\"img\" aria-label=\"" + escaped(label) + "\"");
  return text;
}

std::string standalone_svg(const std::string& inlined) {
  std::string text = inlined;
  text.insert(4, " style=\"background:#fff;color:#1a1c1f\"");
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + text;
}

std::string gnuplot_block(const std::string& name, const std::string& rows) {
  return "$" + name + " << EOD\n" + rows + "EOD\n";
}

std::string gnuplot_quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) continue;  // no newline may end the statement
    if (c == '"' || c == '\\' || c == '`' || c == '$') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace graft
