#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace graft {

/// --max-bytes, of every command that opens checkpoints or .npz data: CheckpointOptions::max_bytes.
inline void add_max_bytes_flag(CLI::App& command, std::uint64_t& max_bytes) {
  command.add_option("--max-bytes", max_bytes, "the most bytes that one compressed part of a file may declare")
      ->capture_default_str();
}

}  // namespace graft
