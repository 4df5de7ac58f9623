#include "tools/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <exception>
#include <new>

#include "engine/base/error.h"
#include "engine/base/log.h"

namespace graft {
namespace {

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

int complain(const std::string& message, ErrorKind kind) {
  log_line("graft: " + one_line(message));
  return static_cast<int>(kind);
}

/// Prints help to stdout, or what is wrong with the command line to stderr.
int end_parsing(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  return complain(fmt::format("{} (graft --help tells more)", one_line(error.what())), ErrorKind::usage);
}

/// Results that nobody could read are no success: a full disk under a redirected stdout shows here.
int flushed(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return complain("stdout: cannot write the results", ErrorKind::failure);
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CLI::App app("graft: which layers of a trained network are worth carrying over to my task, and how?", "graft");
  CommandContext context{.command_line = {argv, argv + argc}, .chosen = {}};
  add_devices(app, context);
  add_models(app, context);
  add_datasets(app, context);
  add_inspect(app, context);
  add_import(app, context);
  add_train(app, context);
  add_eval(app, context);
  add_compare(app, context);
  add_predict(app, context);
  add_features(app, context);
  add_study(app, context);
  add_contrasts(app, context);
  add_bench(app, context);
  add_version(app, context);
  try {
    app.parse(argc, argv);
    if (!context.chosen) fail(ErrorKind::usage, "a subcommand is wanted (graft --help lists them)");
    return flushed(context.chosen());
  } catch (const CLI::ParseError& error) {
    return end_parsing(app, error);
  } catch (const Error& error) {
    return complain(error.what(), error.kind());
  } catch (const std::bad_alloc&) {
    return complain("out of memory: use fewer --jobs or a smaller batch", ErrorKind::failure);
  } catch (const std::exception& error) {
    return complain(error.what(), ErrorKind::failure);
  }
}

std::string shell_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || std::string_view("-_./=:,+@%").find(static_cast<char>(c)) != std::string::npos;
    });
    std::string quoted = word;
    if (!plain) {
      quoted = "'";
      for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      quoted += "'";
    }
    line += (line.empty() ? "" : " ") + quoted;
  }
  return line;
}

}  // namespace graft
