#include "transfer/launch_rank.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <thread>

namespace graft {
namespace {

using Lookup = std::function<const char*(const char*)>;

/// The first of the variables that holds a number >= 0.
std::optional<int> first_number(const Lookup& variable, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* text = variable(name);
    if (text == nullptr) continue;
    int number = -1;
    const char* end = text + std::strlen(text);
    const auto parsed = std::from_chars(text, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end && number >= 0) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<LaunchRank> launch_rank(const Lookup& variable) {
  LaunchRank launch;
  const std::optional<int> task = first_number(variable, {"SLURM_ARRAY_TASK_ID"});
  std::optional<int> rank = first_number(variable, {"OMPI_COMM_WORLD_RANK", "PMI_RANK"});
  // A Slurm job has a rank 0 even where srun started nothing.
  const bool many = first_number(variable, {"SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"}).value_or(1) > 1;
  if (!rank && many) rank = first_number(variable, {"SLURM_PROCID"});
  if (!rank && !task) return std::nullopt;
  if (task) launch.name = fmt::format("task{}", *task);
  if (rank) launch.name += fmt::format("{}rank{}", task ? "." : "", *rank);
  if (rank) {
    launch.ranks_on_machine = std::max(1, first_number(variable, {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS",
                                                                  "PMI_LOCAL_SIZE", "SLURM_NTASKS_PER_NODE"})
                                              .value_or(1));
  }
  return launch;
}

std::optional<LaunchRank> launch_rank() {
  return launch_rank([](const char* name) { return std::getenv(name); });
}

int cores_of_rank(int ranks_on_machine) {
  const int allowed = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto present = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  return allowed < present ? allowed : std::max(1, allowed / std::max(1, ranks_on_machine));
}

}  // namespace graft
