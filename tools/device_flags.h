#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "engine/backend/registry.h"

namespace graft {

/// Flags of every subcommand that computes: on which device, and by whose kernels.
struct DeviceFlags {
  std::string name = "cpu";
  std::string conv = "native";
  std::string gemm = "native";
  std::string choices;  ///< a results folder
  bool tf32 = false;
  bool no_graph = false;
};

void add_device_flags(CLI::App& command, DeviceFlags& flags);

/// Throws Error(data) if the folder of --choices has no record of any.
BackendOptions backend_options(const DeviceFlags& flags, int threads);

}  // namespace graft
