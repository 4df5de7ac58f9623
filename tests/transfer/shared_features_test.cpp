// Features that several runs of a study share, and those of linear probes.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/io/safetensors.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/run_files.h"
#include "transfer/run_network.h"
#include "transfer/source_weights.h"

namespace graft::testing {
namespace {

/// Features of `bytes` bytes that nobody reads: a data set that owns a lease.
DatasetPtr leased(FeatureCache& cache, const std::string& key, std::int64_t bytes) {
  const auto lease = cache.reserve(key, bytes);
  if (lease == nullptr) return nullptr;
  const DatasetPtr data = fake_fashion_mnist().train;
  return {data.get(), [data, lease](const Dataset*) {}};
}

TEST(SharedFeatures, AreKeptUntilTheBudgetNeedsTheirRoom) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path() / "features", 1);
  const auto get = [&](const std::string& key, std::int64_t bytes) {
    return cache.get(key, [&] { return leased(cache, key, bytes); });
  };
  ASSERT_NE(get("a", 400 << 10), nullptr);
  DatasetPtr second = get("b", 400 << 10);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(cache.bytes_in_use(), 800 << 10);
  EXPECT_EQ(cache.get("a", [] { return DatasetPtr{}; }).use_count(), 2) << "kept, and not made again";
  ASSERT_NE(get("c", 500 << 10), nullptr) << "in the place of a, which nobody uses";
  EXPECT_EQ(cache.bytes_in_use(), 900 << 10);
  EXPECT_EQ(get("d", 700 << 10), nullptr) << "b is in use";
  EXPECT_EQ(cache.bytes_in_use(), 400 << 10) << "c went, in vain";
  second.reset();
  EXPECT_NE(get("d", 700 << 10), nullptr);
  EXPECT_EQ(get("e", 2 << 20), nullptr) << "more than the budget drops nothing";
  EXPECT_EQ(cache.bytes_in_use(), 700 << 10);
}

TEST(SharedFeatures, AreMadeByOneOfAllThatAskAtOnce) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path() / "features", 1);
  std::atomic<int> made = 0;
  std::atomic<int> got = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        const auto make = [&]() -> DatasetPtr {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          if (made++ == 0) fail(ErrorKind::failure, "the first one fails");
          return leased(cache, "a", 8);
        };
        try {
          if (cache.get("a", make) != nullptr) ++got;
        } catch (const Error&) {
        }
      });
    }
  }
  EXPECT_EQ(made, 2) << "once in vain, once for all";
  EXPECT_EQ(got, 5);
  EXPECT_EQ(cache.bytes_in_use(), 8);
}

TEST(SharedFeatures, WhoWaitsCanBeStopped) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path() / "features", 1);
  std::atomic<bool> making = false;
  std::atomic<bool> waited = false;
  const std::jthread maker([&] {
    cache.get("a", [&]() -> DatasetPtr {
      making = true;
      while (!waited) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return leased(cache, "a", 8);
    });
  });
  while (!making) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto stop = [] { throw Error("interrupted", ErrorKind::interrupted); };
  EXPECT_THROW(cache.get(
                   "a", [] { return DatasetPtr{}; }, stop),
               Error);
  waited = true;
}

const SyntheticStudy kProbes{.training = "epochs: 2, batch_size: 16, lr: 0.02", .treatments = "[base, probe]"};

/// A probe of a base network of the source, with the cache and without.
TEST(Probe, SameBitsWithTheCacheAndWithout) {
  for (const int cut : {1, 3}) {
    StudyBench cached(kProbes, {}, true);
    StudyBench plain(kProbes, {}, false);
    const RunSpec& run = cached.find("probe", cut);
    const RunResult with = cached.execute(run);
    const RunResult without = plain.execute(run);
    EXPECT_NE(cached.log(run).find("cached features"), std::string::npos);
    EXPECT_EQ(plain.log(run).find("cached features"), std::string::npos);
    EXPECT_EQ(cached.weights(run), plain.weights(run)) << "cut " << cut;
    EXPECT_EQ(comparable_lines({with}), comparable_lines({without}));
    EXPECT_EQ(cached.environment().features->bytes_in_use(), 0) << "the run's features outlive it";
  }
}

/// What it leaves are the source's stages as they were, and a head; testing it again gives the same answers.
TEST(Probe, LeavesTheSourceAsItIsAndCanBeTestedAgain) {
  StudyBench bench(kProbes, {});
  const RunSpec& run = bench.find("probe", 3);
  const RunResult result = bench.execute(run);
  EXPECT_EQ(result.frozen_hash_before, result.frozen_hash_after);
  const RunResult again = test_again(run, bench.environment(), bench.backend());
  EXPECT_EQ(again.correct, result.correct);
  EXPECT_EQ(again.by_class, result.by_class);

  const auto source = bench.network();
  load_state(checkpoint_path(bench.environment().folder, run.depends_on), state_of(*source));
  const auto probe =
      make_run_network(run, bench.environment().study, *bench.environment().data.target.train, bench.backend());
  load_state(checkpoint_path(bench.environment().folder, run.id), state_of(*probe));
  EXPECT_EQ(hash_state(probe->stage_parameters(0, 4)), hash_state(source->stage_parameters(0, 3)));
  ASSERT_EQ(probe->parameters().size(), source->stage_parameters(0, 3).size() + 2);
  EXPECT_EQ(probe->parameters().back().name, "probe.bias");
}

/// Published weights as the source, two seeds: AnB, and a probe.
SyntheticStudy published(const std::string& treatment) {
  return {.cuts = "[1]",
          .more = "images: {size: 28}\n",
          .training = "epochs: 2, batch_size: 16, lr: 0.02",
          .split = "{source: {checkpoint: published.safetensors}, target: [c3, c4, c5]}",
          .treatments = "[" + treatment + "]",
          .seeds = "[0, 1]"};
}

void keep_some_weights(StudyBench& bench) {
  const auto network = bench.network();
  initialize(state_of(*network), 5, "published");
  keep_source_weights(*network, bench.environment().folder);
}

class PublishedSource : public ::testing::TestWithParam<const char*> {};

TEST_P(PublishedSource, SeedsShareItsFeaturesWithTheSameBits) {
  StudyBench cached(published(GetParam()), {}, true);
  StudyBench plain(published(GetParam()), {}, false);
  for (StudyBench* bench : {&cached, &plain}) keep_some_weights(*bench);
  std::int64_t after_first = 0;
  for (const std::uint64_t seed : {0, 1}) {
    const RunSpec& run = cached.find(GetParam(), 1, "B", seed);
    EXPECT_EQ(comparable_lines({cached.execute(run)}), comparable_lines({plain.execute(run)}));
    EXPECT_EQ(cached.weights(run), plain.weights(run)) << "seed " << seed;
    EXPECT_NE(cached.log(run).find("cached features"), std::string::npos);
    const std::int64_t in_use = cached.environment().features->bytes_in_use();
    if (seed == 0) after_first = in_use;
    EXPECT_GT(in_use, 0);
    EXPECT_EQ(in_use, after_first) << "the second seed computes nothing anew";
  }
}

INSTANTIATE_TEST_SUITE_P(Treatments, PublishedSource, ::testing::Values("AnB", "probe"));

}  // namespace
}  // namespace graft::testing
