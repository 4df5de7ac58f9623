#include "transfer/feature_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "engine/nn/init.h"
#include "tests/transfer/run_fixture.h"
#include "transfer/half_data.h"
#include "transfer/trainer.h"

namespace graft::testing {
namespace {

namespace fs = std::filesystem;

TEST(FeatureCache, KeepsToItsBudgetAndGivesBack) {
  const TemporaryFolder folder;
  FeatureCache cache(folder.path() / "features", 1);
  const auto first = cache.reserve("a", 700 << 10);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(cache.reserve("b", 400 << 10), nullptr);
  std::ofstream(first->path) << "features";
  EXPECT_EQ(cache.bytes_in_use(), 700 << 10);
  auto second = cache.reserve("c", 300 << 10);
  ASSERT_NE(second, nullptr);
  second.reset();
  EXPECT_EQ(cache.bytes_in_use(), 700 << 10);
  EXPECT_TRUE(fs::exists(first->path));
}

TEST(FeatureCache, AFileGoesWithItsLastOwnerAndLeftoversOnOpening) {
  const TemporaryFolder folder;
  const fs::path features = folder.path() / "features";
  fs::create_directories(features);
  std::ofstream(features / "killed.safetensors") << "half";
  FeatureCache cache(features, 1);
  EXPECT_FALSE(fs::exists(features / "killed.safetensors"));
  auto lease = cache.reserve("a", 8);
  std::ofstream(lease->path) << "features";
  const fs::path path = lease->path;
  lease.reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(cache.bytes_in_use(), 0);
}

TEST(FeatureCache, ServesOnlyFunctionsOfTheSingleImage) {
  StudyBench bench({}, {});
  const auto network = bench.network();
  EXPECT_TRUE(can_cache_features(*network, 3, BatchNormPolicy::eval, {}));
  EXPECT_FALSE(can_cache_features(*network, 0, BatchNormPolicy::eval, {}));
  EXPECT_FALSE(can_cache_features(*network, 3, BatchNormPolicy::batch, {}));
  EXPECT_FALSE(can_cache_features(*network, 3, BatchNormPolicy::update, {}));
  EXPECT_FALSE(can_cache_features(*network, 3, BatchNormPolicy::eval, {.crop_padding = 2}));
  EXPECT_FALSE(can_cache_features(*network, 3, BatchNormPolicy::eval, {.flip = true}));
}

struct SameBitsCase {
  const char* name;
  SyntheticStudy study;
  SyntheticData data;
  friend void PrintTo(const SameBitsCase& which, std::ostream* out) { *out << which.name; }
};

class SameBits : public ::testing::TestWithParam<SameBitsCase> {};

/// A whole run with the cache and without: the same weights to the bit, the same answers, and only one that says so.
TEST_P(SameBits, WithTheCacheAndWithout) {
  for (const int cut : {1, 3}) {
    StudyBench cached(GetParam().study, GetParam().data, true);
    if (!cached.backend().supports(compute_dtype(cached.environment().study.training))) GTEST_SKIP() << "no bf16 here";
    StudyBench plain(GetParam().study, GetParam().data, false);
    const RunSpec& run = cached.find("AnB", cut);
    const RunResult with = cached.execute(run);
    const RunResult without = plain.execute(run);
    EXPECT_NE(cached.log(run).find("cached features"), std::string::npos);
    EXPECT_EQ(plain.log(run).find("cached features"), std::string::npos);
    EXPECT_EQ(cached.weights(run), plain.weights(run)) << "cut " << cut;
    EXPECT_EQ(comparable_lines({with}), comparable_lines({without}));
    EXPECT_EQ(cached.environment().features->bytes_in_use(), 0) << "the run's features outlive it";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, SameBits,
    ::testing::Values(SameBitsCase{"convnet6", {.training = "epochs: 2, batch_size: 16, lr: 0.02"}, {}},
                      SameBitsCase{"convnet6_bf16", {.training = "epochs: 2, batch_size: 16, lr: 0.02, amp: bf16"}, {}},
                      SameBitsCase{"cifar_resnet20",
                                   {.model = "cifar_resnet20", .training = "epochs: 2, batch_size: 12, lr: 0.02"},
                                   {.size = 16, .channels = 3, .train_per_class = 15, .test_per_class = 5}}),
    [](const auto& each) { return each.param.name; });

TEST(FeatureCache, OverBudgetThePrefixRunsAtEveryStep) {
  StudyBench bench({.more = "feature_cache: {budget_mib: 1}\n"}, {.train_per_class = 96});
  const RunSpec& run = bench.find("random", 1);  // 288 x 14 x 14 x 16 f32 = 3.4 MiB
  bench.execute(run);
  EXPECT_EQ(bench.log(run).find("cached features"), std::string::npos);
}

/// Rows [0, count) of the prefix's output for a batch.
std::vector<std::byte> rows_of(Backend& backend, const Tensor& features, std::int64_t count) {
  const Tensor rows = features.slice(0, count);
  std::vector<std::byte> host(rows.nbytes());
  backend.copy_to_host(rows, host.data());
  return host;
}

/// ResNet-18 at 224x224, batch 64, 104 images: a tail of 40. What the cache holds for an image is what the prefix gives
/// for it in a shuffled training batch of the same size. oneDNN's Winograd rounds otherwise at other batch sizes.
TEST(FeatureCacheSlow, ResNet18AtFullSizeWithATail) {
  StudyBench bench({.model = "resnet18", .cuts = "[2]", .training = "epochs: 1, batch_size: 64"},
                   {.size = 224, .channels = 3, .train_per_class = 35, .test_per_class = 1}, true, 0);
  Backend& backend = bench.backend();
  const auto network = bench.network();
  initialize(network->parameters(), 0, "test");
  initialize(network->buffers(), 0, "test");
  network->freeze_until(2, BatchNormPolicy::eval);
  const HalfData half = open_half(bench.environment().study, bench.environment().data, bench.find("base", 0));
  std::vector<std::int64_t> items;
  for (std::int64_t i = 0; i < 104; ++i) items.push_back(i);
  const DatasetPtr images = make_subset(half.train, items, {0, 1, 2});
  LoaderOptions options{.batch_size = 64,
                        .shuffle = true,
                        .drop_last = true,
                        .role = "target",
                        .mean = bench.environment().data.target.mean,
                        .deviation = bench.environment().data.target.deviation};
  const DatasetPtr features =
      cache_features(*bench.environment().features, "run",
                     {.network = *network, .cut = 2, .images = images, .loader = options}, backend);
  ASSERT_NE(features, nullptr);

  Loader loader(images, backend, options);
  loader.start_epoch(0);
  const std::vector<std::int64_t> order = epoch_order(104, options.seed, options.role, 0);
  const std::optional<Batch> batch = loader.next();
  ASSERT_TRUE(batch.has_value());
  const auto computed = rows_of(backend, run_prefix(*network, batch->items, 0, 2, {.training = true, .step = {}}), 64);
  std::vector<std::byte> kept(features->item_bytes());
  for (std::size_t row = 0; row < 64; ++row) {
    features->read(order[row], kept);
    const auto begin = computed.begin() + static_cast<std::ptrdiff_t>(row * kept.size());
    ASSERT_TRUE(std::equal(kept.begin(), kept.end(), begin)) << "row " << row << ", item " << order[row];
  }
}

}  // namespace
}  // namespace graft::testing
