#include <gtest/gtest.h>
#include <omp.h>

#include <thread>

#include "tests/transfer/run_fixture.h"

namespace graft::testing {
namespace {

/// Two runs side by side, each a thread with its own backend, started from threads with other OpenMP counts, leave the
/// bits that each leaves alone.
TEST(Runner, RunsSideBySideGiveTheBitsOfEachAlone) {
  const SyntheticStudy study{.training = "epochs: 2, batch_size: 16, lr: 0.02"};
  const std::vector<std::pair<const char*, int>> wanted{{"random", 3}, {"base", 0}};
  std::vector<std::string> alone;
  for (const auto& [treatment, cut] : wanted) {
    StudyBench bench(study, {});
    bench.execute(treatment, cut);
    alone.push_back(bench.weights(bench.find(treatment, cut)));
  }
  std::vector<std::string> together(wanted.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      threads.emplace_back([&, i] {
        omp_set_num_threads(static_cast<int>(3 + i));
        StudyBench bench(study, {});
        bench.execute(wanted[i].first, wanted[i].second);
        together[i] = bench.weights(bench.find(wanted[i].first, wanted[i].second));
      });
    }
  }
  EXPECT_EQ(together, alone);
}

TEST(Runner, AWorkersBackendKeepsNothingThatChangesTheNextRun) {
  StudyBench fresh({}, {});
  fresh.execute("random", 3);
  StudyBench used({}, {});
  used.execute("base", 0);
  used.execute("AnB", 1);
  used.execute("random", 3);
  EXPECT_EQ(used.weights(used.find("random", 3)), fresh.weights(fresh.find("random", 3)));
}

}  // namespace
}  // namespace graft::testing
