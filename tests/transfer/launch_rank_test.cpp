#include "transfer/launch_rank.h"

#include <gtest/gtest.h>

#include <map>

namespace graft {
namespace {

std::optional<LaunchRank> rank_in(const std::map<std::string, std::string>& environment) {
  return launch_rank([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(LaunchRank, IsReadFromEachLaunchersEnvironment) {
  EXPECT_FALSE(rank_in({}).has_value());
  const auto open_mpi = rank_in({{"OMPI_COMM_WORLD_RANK", "3"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  ASSERT_TRUE(open_mpi.has_value());
  EXPECT_EQ(open_mpi->name, "rank3");
  EXPECT_EQ(open_mpi->ranks_on_machine, 2);
  EXPECT_EQ(rank_in({{"PMI_RANK", "0"}, {"MPI_LOCALNRANKS", "4"}})->ranks_on_machine, 4);
  EXPECT_EQ(rank_in({{"SLURM_PROCID", "5"}, {"SLURM_NTASKS", "8"}})->name, "rank5");
}

TEST(LaunchRank, ASlurmJobOfOneTaskIsNoRank) {
  EXPECT_FALSE(rank_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}}).has_value());
  EXPECT_EQ(rank_in({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}, {"SLURM_ARRAY_TASK_ID", "7"}})->name, "task7");
  EXPECT_EQ(rank_in({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_ARRAY_TASK_ID", "7"}})->name, "task7.rank1");
}

TEST(LaunchRank, WhatIsNoNumberIsNotRead) {
  for (const char* text : {"", "-1", "1x", "99999999999"}) {
    EXPECT_FALSE(rank_in({{"OMPI_COMM_WORLD_RANK", text}}).has_value()) << text;
  }
}

TEST(LaunchRank, CoresAreAtLeastOne) {
  EXPECT_GE(cores_of_rank(1), 1);
  EXPECT_EQ(cores_of_rank(1 << 20), cores_of_rank(1 << 21)) << "one, or those that it is bound to";
}

}  // namespace
}  // namespace graft
