#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace graft {

/// What the chosen subcommand does: returns the exit code, throws Error.
using Action = std::function<int()>;

/// What a subcommand knows of the program's start.
struct CommandContext {
  std::vector<std::string> command_line;  ///< program first
  Action chosen;                          ///< set by the subcommand that parsing selects
};

// One file a subcommand; each adds its flags and sets `chosen` when it is selected.
void add_devices(CLI::App& app, CommandContext& context);
void add_models(CLI::App& app, CommandContext& context);
void add_datasets(CLI::App& app, CommandContext& context);
void add_inspect(CLI::App& app, CommandContext& context);
void add_import(CLI::App& app, CommandContext& context);
void add_train(CLI::App& app, CommandContext& context);
void add_eval(CLI::App& app, CommandContext& context);
void add_compare(CLI::App& app, CommandContext& context);
void add_predict(CLI::App& app, CommandContext& context);
void add_features(CLI::App& app, CommandContext& context);
void add_study(CLI::App& app, CommandContext& context);
void add_study_recommend(CLI::App& study, CommandContext& context);
void add_contrasts(CLI::App& app, CommandContext& context);
void add_bench(CLI::App& app, CommandContext& context);
void add_bench_inference(CLI::App& bench, CommandContext& context);
void add_bench_kernels(CLI::App& bench, CommandContext& context);
void add_bench_loader(CLI::App& bench, CommandContext& context);
void add_version(CLI::App& app, CommandContext& context);

/// The whole command: parses, acts, and turns an Error into one line on stderr and its exit code.
int run_command(int argc, const char* const* argv);

/// A command line that a shell reads back as these words.
std::string shell_line(const std::vector<std::string>& words);

}  // namespace graft
