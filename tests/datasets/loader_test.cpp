#include "datasets/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cuda/backends.h"
#include "datasets/memory_dataset.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/reference/reference_backend.h"
#include "tests/ops/host_values.h"

namespace graft::testing {
namespace {

constexpr std::int64_t kCount = 53;
const Shape kImage{5, 4, 3};

DatasetPtr make_images() {
  const RandomStream random{.seed = 3, .stream = stream_of("test")};
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(kCount * kImage.numel()));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(random.word(0, i));
  std::vector<std::uint8_t> labels;
  for (std::int64_t i = 0; i < kCount; ++i) labels.push_back(static_cast<std::uint8_t>(i % 7));
  return std::make_shared<MemoryDataset>(pixels, kImage, labels,
                                         std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g"});
}

/// Items f32 [2] with values {i, -i}; reading item `bad` fails.
class Features : public Dataset {
 public:
  explicit Features(std::int64_t bad = -1) : bad_(bad) {}
  std::int64_t size() const override { return 10; }
  Shape item_shape() const override { return {2}; }
  DType item_dtype() const override { return DType::f32; }
  std::int64_t label(std::int64_t index) const override { return index; }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    if (index == bad_) fail(ErrorKind::data, "item {} is damaged", index);
    const float values[2] = {static_cast<float>(index), -static_cast<float>(index)};
    std::copy_n(std::as_bytes(std::span(values)).begin(), out.size(), out.begin());
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::string content_hash() const override { return "features"; }

 private:
  std::int64_t bad_;
  std::vector<std::string> names_ = std::vector<std::string>(10, "class");
};

LoaderOptions image_options() {
  LoaderOptions options;
  options.batch_size = 8;
  options.seed = 11;
  options.role = "source";
  options.mean = {0.3f, 0.4f, 0.5f};
  options.deviation = {0.2f, 0.25f, 0.3f};
  return options;
}

struct HostEpoch {
  std::vector<double> items;
  std::vector<double> labels;
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> counts;
  bool operator==(const HostEpoch&) const = default;
};

HostEpoch read_epoch(Loader& loader, std::int64_t epoch) {
  HostEpoch result;
  loader.start_epoch(epoch);
  while (const auto batch = loader.next()) {
    const auto items = to_host(batch->items);
    const auto labels = to_host(batch->labels);
    result.items.insert(result.items.end(), items.begin(), items.end());
    result.labels.insert(result.labels.end(), labels.begin(), labels.end());
    result.rows.push_back(batch->items.dim(0));
    result.counts.push_back(batch->count);
  }
  return result;
}

TEST(Loader, NormalisesImagesInOrder) {
  const auto backend = make_reference_backend({});
  const DatasetPtr images = make_images();
  const LoaderOptions options = image_options();
  Loader loader(images, *backend, options);
  const HostEpoch epoch = read_epoch(loader, 0);
  EXPECT_EQ(epoch.counts, (std::vector<std::int64_t>{8, 8, 8, 8, 8, 8, 5}));
  EXPECT_EQ(epoch.rows, epoch.counts);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(kImage.numel()));
  std::size_t at = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(epoch.labels[static_cast<std::size_t>(i)], static_cast<double>(i % 7));
    images->read(i, std::as_writable_bytes(std::span(pixels)));
    for (std::size_t k = 0; k < pixels.size(); ++k, ++at) {
      const double expected = (pixels[k] / 255.0 - options.mean[k % 3]) / options.deviation[k % 3];
      // Values below 4, a handful of f32 roundings.
      ASSERT_NEAR(epoch.items[at], expected, 8 * 4 * 0x1p-24) << at;
    }
  }
}

TEST(Loader, GivesTheSameBitsFromTheBackendsMemoryAndFromTheHosts) {
  LoaderOptions options = image_options();
  options.shuffle = true;
  std::vector<std::unique_ptr<Backend>> backends;
  backends.push_back(make_cpu_backend({.threads = 2}));
  backends.push_back(make_reference_backend({}));
#ifdef GRAFT_WITH_CUDA_EMULATED
  backends.push_back(make_cuda_emulated_backend({}));
#endif
  for (const auto& backend : backends) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const bool pad_last : {false, true}) {
        for (const AugmentOptions& augment : {AugmentOptions{}, AugmentOptions{.crop_padding = 2, .flip = true}}) {
          if (!backend->supports(dtype)) continue;
          options.dtype = dtype;
          options.pad_last = pad_last;
          options.augment = augment;
          options.resident_bytes = static_cast<std::size_t>(kCount * kImage.numel());
          Loader resident(make_images(), *backend, options);
          --options.resident_bytes;
          Loader streaming(make_images(), *backend, options);
          EXPECT_EQ(resident.batch_count(), streaming.batch_count());
          for (const std::int64_t epoch : {0, 1, 0}) {
            EXPECT_TRUE(read_epoch(resident, epoch) == read_epoch(streaming, epoch)) << name_of(dtype) << epoch;
          }
        }
      }
    }
  }
}

TEST(Loader, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto backend = make_cpu_backend({.threads = 1});
  LoaderOptions options = image_options();
  options.resident_bytes = 0;
  options.shuffle = true;
  options.augment = {.crop_padding = 2, .flip = true};
  for (const bool drop_last : {false, true}) {
    options.drop_last = drop_last;
    std::vector<HostEpoch> expected;
    for (const int threads : {0, 1, 2, 5}) {
      options.threads = threads;
      Loader loader(make_images(), *backend, options);
      for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        const HostEpoch got = read_epoch(loader, static_cast<std::int64_t>(epoch));
        if (threads == 0) {
          expected.push_back(got);
        } else {
          EXPECT_TRUE(got == expected[epoch]) << threads << " threads, epoch " << epoch;
        }
      }
      // An epoch can be read again, and one that was left early disturbs nothing.
      loader.start_epoch(7);
      loader.next();
      EXPECT_TRUE(read_epoch(loader, 1) == expected[1]) << threads;
    }
    EXPECT_FALSE(expected[0] == expected[1]);
  }
}

TEST(Loader, ShufflesByEpochOrder) {
  const auto backend = make_reference_backend({});
  LoaderOptions options;
  options.batch_size = 4;
  options.shuffle = true;
  options.seed = 5;
  options.role = "target";
  Loader loader(std::make_shared<Features>(), *backend, options);
  for (const std::int64_t epoch : {0, 1}) {
    const auto order = epoch_order(10, 5, "target", epoch);
    EXPECT_EQ(read_epoch(loader, epoch).labels, std::vector<double>(order.begin(), order.end()));
  }
  EXPECT_NE(epoch_order(10, 5, "target", 0), epoch_order(10, 5, "target", 1));
  EXPECT_NE(epoch_order(10, 5, "target", 0), epoch_order(10, 5, "source", 0));
  EXPECT_NE(epoch_order(10, 5, "target", 0), epoch_order(10, 6, "target", 0));
}

TEST(Loader, DropsOrPadsTheLastBatch) {
  const auto backend = make_reference_backend({});
  LoaderOptions options;
  options.batch_size = 4;
  options.drop_last = true;
  Loader dropping(std::make_shared<Features>(), *backend, options);
  EXPECT_EQ(dropping.batch_count(), 2);
  EXPECT_EQ(read_epoch(dropping, 0).counts, (std::vector<std::int64_t>{4, 4}));
  options.drop_last = false;
  options.pad_last = true;
  for (const int threads : {0, 2}) {
    options.threads = threads;
    Loader padding(std::make_shared<Features>(), *backend, options);
    EXPECT_EQ(padding.batch_count(), 3);
    const HostEpoch epoch = read_epoch(padding, 0);
    EXPECT_EQ(epoch.counts, (std::vector<std::int64_t>{4, 4, 2}));
    EXPECT_EQ(epoch.rows, (std::vector<std::int64_t>{4, 4, 4}));
    EXPECT_EQ(epoch.labels, (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, -1}));
    EXPECT_EQ(epoch.items[18], 9.0);
    EXPECT_EQ(epoch.items[19], -9.0);
    EXPECT_EQ(std::vector<double>(epoch.items.begin() + 20, epoch.items.end()), std::vector<double>(4, 0.0));
  }
}

TEST(Loader, KeepsTheDtypeOfFeaturesAndTakesThatOfImages) {
  const auto backend = make_reference_backend({});
  LoaderOptions options = image_options();
  options.dtype = DType::bf16;
  Loader images(make_images(), *backend, options);
  images.start_epoch(0);
  EXPECT_EQ(images.next()->items.dtype(), DType::bf16);
  Loader features(std::make_shared<Features>(), *backend, options = {.role = "", .dtype = DType::bf16});
  features.start_epoch(0);
  EXPECT_EQ(features.next()->items.dtype(), DType::f32);
}

TEST(Loader, PassesOnWhatReadingMet) {
  const auto backend = make_reference_backend({});
  for (const int threads : {0, 1, 3}) {
    LoaderOptions options;
    options.batch_size = 3;
    options.threads = threads;
    Loader loader(std::make_shared<Features>(4), *backend, options);
    loader.start_epoch(0);
    EXPECT_TRUE(loader.next().has_value());
    try {
      loader.next();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "item 4 is damaged");
      EXPECT_EQ(error.kind(), ErrorKind::data);
    }
    EXPECT_EQ(to_host(loader.next()->labels), (std::vector<double>{6, 7, 8}));
    EXPECT_EQ(loader.next()->count, 1);
    EXPECT_FALSE(loader.next().has_value());
  }
}

TEST(Loader, CanBeLeftAtAnyTime) {
  const auto backend = make_reference_backend({});
  LoaderOptions options = image_options();
  options.resident_bytes = 0;
  options.threads = 3;
  for (int taken = 0; taken < 4; ++taken) {
    Loader loader(make_images(), *backend, options);
    if (taken == 0) continue;
    loader.start_epoch(0);
    for (int i = 1; i < taken; ++i) loader.next();
  }
}

TEST(Loader, RefusesWrongOptions) {
  const auto backend = make_reference_backend({});
  const auto make = [&](const LoaderOptions& options, bool images) {
    if (images) {
      Loader(make_images(), *backend, options);
    } else {
      Loader(std::make_shared<Features>(), *backend, options);
    }
  };
  LoaderOptions options = image_options();
  options.mean = {0.5f};
  EXPECT_THROW(make(options, true), Error);
  options = image_options();
  options.deviation[1] = 0.0f;
  EXPECT_THROW(make(options, true), Error);
  options = image_options();
  options.batch_size = 0;
  EXPECT_THROW(make(options, true), Error);
  options = image_options();
  options.augment.flip = true;
  EXPECT_NO_THROW(make(options, true));
  EXPECT_THROW(make(options, false), Error);
  Loader loader(make_images(), *backend, image_options());
  EXPECT_THROW(loader.next(), Error);  // no epoch was started
}

}  // namespace
}  // namespace graft::testing
