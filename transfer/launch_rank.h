#pragma once

#include <functional>
#include <optional>
#include <string>

namespace graft {

/// What a launcher of several processes tells each of them in its environment.
struct LaunchRank {
  std::string name{};        ///< "rank3", or "task7" of a Slurm array, "task7.rank3" of ranks in one
  int ranks_on_machine = 1;  ///< processes of this launch that share the machine, as far as the launcher says
};

/// The rank that Open MPI's mpirun (OMPI_COMM_WORLD_RANK), MPICH's and Intel's (PMI_RANK) or Slurm's srun
/// (SLURM_PROCID) gave this process, and its place in a Slurm array (SLURM_ARRAY_TASK_ID); nothing where it was started
/// alone. `variable` looks up the environment, nullptr for what is not set.
std::optional<LaunchRank> launch_rank(const std::function<const char*(const char*)>& variable);
/// Of this process's environment.
std::optional<LaunchRank> launch_rank();

/// Processor cores that one of `ranks_on_machine` processes may take: those that its launcher has bound it to, or its
/// share of the machine's where it is bound to none. At least 1.
int cores_of_rank(int ranks_on_machine);

}  // namespace graft
