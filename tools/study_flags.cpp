#include "tools/study_flags.h"

#include <regex>

#include "engine/base/error.h"
#include "engine/io/file.h"
#include "transfer/study.h"

namespace graft {

namespace fs = std::filesystem;

void add_data_flags(CLI::App& command, DataFolders& folders) {
  command.add_option("--data-dir", folders.data, "folder of the data set's files");
  command.add_option("--source-data-dir", folders.source_data, "the same of the source's, where it has its own");
}

void add_study_flags(CLI::App& command, StudyFlags& flags) {
  command.add_option("STUDY", flags.study, "a study file or a results folder")->required();
  command.add_option("--output", flags.output, "results folder; default: runs/<study name>, or STUDY if it is one");
  add_data_flags(command, flags.data);
  add_device_flags(command, flags.device);
  command.add_option("--amp", flags.amp, "precision, whatever the study says")->check(CLI::IsMember({"none", "bf16"}));
  command.add_option("--jobs", flags.jobs, "runs at a time; default: as many as fill the cores, one on a GPU")
      ->check(CLI::PositiveNumber);
  command.add_option("--threads", flags.threads, "threads of one run; part of what its bits depend on")
      ->check(CLI::PositiveNumber);
}

RunnerOptions resolve_study(const StudyFlags& flags) {
  const fs::path given = flags.study;
  const bool is_folder = fs::is_directory(given);
  const fs::path file = is_folder ? given / "study.yaml" : given;
  if (!fs::exists(file)) {
    fail(ErrorKind::data, "{}: {}", given.string(),
         is_folder ? "holds no study.yaml: name a study file or a results folder" : "no such study file or folder");
  }
  RunnerOptions options;
  options.study_file = file.string();
  options.study_text = read_text(file);
  if (!flags.amp.empty()) options.study_text = with_amp(options.study_text, flags.amp, options.study_file);
  const Study study = parse_study(options.study_text, options.study_file);
  options.folder = !flags.output.empty() ? fs::path(flags.output) : is_folder ? given : fs::path("runs") / study.name;
  options.data = flags.data;
  options.device = flags.device.name;
  options.backend = backend_options(flags.device, flags.threads);
  options.jobs = flags.jobs > 0 ? flags.jobs : flags.device.name == "cuda" ? 1 : default_jobs(flags.threads);
  options.feature_cache = !flags.no_feature_cache;
  options.accept_binary = flags.accept_binary;
  return options;
}

std::string with_amp(const std::string& yaml, const std::string& amp, const std::string& file) {
  if (parse_study(yaml, file).training.amp == amp) return yaml;
  static const std::regex key(R"(([ \t{,]amp:[ \t]*)\w+)");
  static const std::regex section(R"((^|\n)(training:[ \t]*(#[^\n]*)?\n)([ \t]+))");
  std::string text = yaml;
  if (std::regex_search(yaml, key)) {
    text = std::regex_replace(yaml, key, "$1" + amp, std::regex_constants::format_first_only);
  } else if (std::regex_search(yaml, section)) {
    text = std::regex_replace(yaml, section, "$1$2$4amp: " + amp + "\n$4", std::regex_constants::format_first_only);
  }
  // The text is the record of what was run: it has to say so itself.
  if (parse_study(text, file).training.amp == amp) return text;
  fail(ErrorKind::usage, "--amp {}: {} cannot be changed to it by itself; set training.amp in the file", amp, file);
}

}  // namespace graft
