#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/device_flags.h"
#include "transfer/runner.h"

namespace graft {

/// Flags that `study plan` and `study run` share.
struct StudyFlags {
  std::string study;   ///< a .yaml or a results folder
  std::string output;  ///< empty: runs/<study name>
  DataFolders data;
  DeviceFlags device;
  std::string amp;  ///< empty: as the study says
  int jobs = 0;     ///< 0: as many as fill the cores
  int threads = 1;  ///< of one run
  bool no_feature_cache = false;
  bool accept_binary = false;
  std::string reference;         ///< of study report: a CSV table; empty: as it was
  std::string reference_source;  ///< who published it
  double tflops = 20.0;          ///< of study plan: that a GPU sustains
  bool no_evaluate = false;      ///< of study verify
  bool by_class = false;         ///< of study export
  bool by_subgroup = false;      ///< likewise
};

void add_data_flags(CLI::App& command, DataFolders& folders);
void add_study_flags(CLI::App& command, StudyFlags& flags);

/// Reads the study file or the folder's study.yaml, applies --amp, and fills in what the flags say. Throws Error(data)
/// if there is none.
RunnerOptions resolve_study(const StudyFlags& flags);

/// The study file's text with training.amp set to `amp`.
std::string with_amp(const std::string& yaml, const std::string& amp, const std::string& file);

}  // namespace graft
