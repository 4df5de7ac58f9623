#include "transfer/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "engine/base/philox.h"
#include "engine/nn/init.h"
#include "engine/nn/state.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

constexpr std::int64_t kImages = 11;
constexpr std::int64_t kClasses = 3;

/// Noise with several labels each, some of them unknown.
class NoisyLabels final : public Dataset {
 public:
  std::int64_t size() const override { return kImages; }
  Shape item_shape() const override { return {28, 28, 1}; }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t) const override { return -1; }
  bool multi_label() const override { return true; }
  void read_targets(std::int64_t index, std::span<float> out) const override {
    // The last class has positives alone.
    out[0] = static_cast<float>(index % 2);
    out[1] = index % 4 == 0 ? -1.0F : static_cast<float>(index % 3 == 0 ? 1 : 0);
    out[2] = 1.0F;
  }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    const RandomStream random{.seed = 1, .stream = 2};
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(random.word(static_cast<std::uint64_t>(index), i) >> 24);
    }
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string content_hash() const override { return "noise"; }

 private:
  std::vector<std::string> names_{"a", "b", "c"};
};

LoaderOptions batches(std::int64_t size) {
  return {.batch_size = size, .pad_last = true, .targets = true, .mean = {0.5F}, .deviation = {0.25F}};
}

/// The logits of every image, one at a time.
std::vector<std::vector<double>> logits_of(Backbone& network, Backend& backend, const DatasetPtr& data) {
  std::vector<std::vector<double>> all;
  Loader loader(data, backend, batches(1));
  loader.start_epoch(0);
  while (const auto batch = loader.next()) {
    all.push_back(to_host(network.forward(Variable(batch->items), {}).value()));
  }
  return all;
}

/// The share of pairs that are the right way round, by counting them.
double auroc_by_pairs(const std::vector<std::vector<double>>& logits, const Dataset& data, std::size_t label) {
  double won = 0.0;
  double pairs = 0.0;
  std::vector<float> a(kClasses);
  std::vector<float> b(kClasses);
  for (std::int64_t i = 0; i < kImages; ++i) {
    for (std::int64_t j = 0; j < kImages; ++j) {
      data.read_targets(i, a);
      data.read_targets(j, b);
      if (a[label] != 1.0F || b[label] != 0.0F) continue;
      won += logits[static_cast<std::size_t>(i)][label] > logits[static_cast<std::size_t>(j)][label] ? 1.0 : 0.0;
      pairs += 1.0;
    }
  }
  return won / pairs;
}

TEST(Evaluation, OfSeveralLabelsIsAurocAndBinaryCrossEntropy) {
  const auto backend = make_reference_backend({});
  const auto data = std::make_shared<NoisyLabels>();
  const auto network =
      make_backbone("convnet6", *backend, {.classes = kClasses, .in_channels = 1, .height = 28, .width = 28});
  initialize(state_of(*network), 1, "base-target");
  const auto logits = logits_of(*network, *backend, data);
  double loss = 0.0;
  double known = 0.0;
  std::vector<float> targets(kClasses);
  for (std::int64_t i = 0; i < kImages; ++i) {
    data->read_targets(i, targets);
    for (std::size_t label = 0; label < kClasses; ++label) {
      if (targets[label] < 0.0F) continue;
      const double p = 1.0 / (1.0 + std::exp(-logits[static_cast<std::size_t>(i)][label]));
      loss -= std::log(targets[label] == 1.0F ? p : 1.0 - p);
      known += 1.0;
    }
  }
  for (const std::int64_t batch : {4, 11, 16}) {
    Loader loader(data, *backend, batches(batch));
    int calls = 0;
    const Evaluation result =
        evaluate_network(*network, *backend, loader, {.auroc = true, .between = [&] { ++calls; }});
    EXPECT_EQ(calls, (kImages + batch - 1) / batch);
    EXPECT_EQ(result.images, kImages);
    EXPECT_EQ(result.top1, 0);
    EXPECT_NEAR(result.loss, loss / known, 1e-6);
    ASSERT_EQ(result.auroc.labels.size(), 3u);
    const double a = auroc_by_pairs(logits, *data, 0);
    const double b = auroc_by_pairs(logits, *data, 1);
    EXPECT_NEAR(*result.auroc.labels[0], a, 1e-12);
    EXPECT_NEAR(*result.auroc.labels[1], b, 1e-12);
    EXPECT_FALSE(result.auroc.labels[2].has_value());
    EXPECT_NEAR(*result.auroc.mean, (a + b) / 2.0, 1e-12);
  }
}

}  // namespace
}  // namespace graft::testing
