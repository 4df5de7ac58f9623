#include "tests/transfer/run_fixture.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "datasets/memory_dataset.h"
#include "engine/base/philox.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "transfer/run_files.h"
#include "transfer/run_network.h"

namespace graft::testing {
namespace {

const std::vector<std::string> kClasses{"c0", "c1", "c2", "c3", "c4", "c5"};

DatasetPtr striped_images(const SyntheticData& data, std::int64_t per_class, const std::string& part) {
  const auto classes = static_cast<std::int64_t>(kClasses.size());
  const RandomStream noise{.seed = 7, .stream = stream_of(part)};
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
  for (std::int64_t item = 0; item < classes * per_class; ++item) {
    const std::int64_t label = item % classes;
    labels.push_back(static_cast<std::uint8_t>(label));
    for (std::int64_t y = 0; y < data.size; ++y) {
      for (std::int64_t x = 0; x < data.size * data.channels; ++x) {
        const bool bright = (y / (label + 1)) % 2 == 0;
        const std::uint32_t word =
            noise.word(static_cast<std::uint64_t>(item), static_cast<std::uint64_t>(y * data.size * data.channels + x));
        pixels.push_back(static_cast<std::uint8_t>((bright ? 120 : 30) + word % 100));
      }
    }
  }
  return std::make_shared<MemoryDataset>(std::move(pixels), Shape{data.size, data.size, data.channels},
                                         std::move(labels), kClasses);
}

}  // namespace

DatasetPair synthetic_data(const SyntheticData& shape) {
  const auto channels = static_cast<std::size_t>(shape.channels);
  return {.train = striped_images(shape, shape.train_per_class, "train"),
          .test = striped_images(shape, shape.test_per_class, "test"),
          .mean = std::vector<float>(channels, 0.5f),
          .deviation = std::vector<float>(channels, 0.25f)};
}

Study synthetic_study(const SyntheticStudy& study) {
  const std::string yaml =
      "name: synthetic\ndataset: fashion-mnist\nmodel: " + study.model + "\nsplit: " + study.split +
      "\nsamples: {train_per_class: all, test_per_class: all}\ntreatments: " + study.treatments +
      "\ncuts: " + study.cuts + "\nseeds: " + study.seeds + "\ntraining: {" + study.training + "}\n" + study.more;
  return parse_study(yaml, "synthetic.yaml");
}

StudyBench::StudyBench(const SyntheticStudy& study, const SyntheticData& shape, bool feature_cache, int threads)
    : data_(synthetic_data(shape)), backend_(make_cpu_backend({.threads = threads})) {
  const Study parsed = synthetic_study(study);
  const auto network = make_network(parsed, *data_.train, 3, *backend_);
  plan_ = make_plan(parsed, data_, network->stage_count(),
                    {.device_kind = backend_->device_kind(), .threads = threads, .data_hash = "synthetic"});
  if (feature_cache) cache_ = std::make_unique<FeatureCache>(folder_.path() / "features", parsed.feature_cache_mib);
  environment_.study = parsed;
  environment_.data = data_;
  environment_.folder = folder_.path();
  environment_.features = cache_.get();
  environment_.binary = "test";
}

const RunSpec& StudyBench::find(const std::string& treatment, int cut, const std::string& target,
                                std::uint64_t seed) const {
  const auto found = std::find_if(plan_.runs.begin(), plan_.runs.end(), [&](const RunSpec& run) {
    return name_of(run.treatment) == treatment && run.cut == cut && run.target == target && run.seed == seed;
  });
  if (found == plan_.runs.end()) throw std::runtime_error("no run " + treatment);
  return *found;
}

RunResult StudyBench::execute(const RunSpec& run) {
  if (!run.depends_on.empty() && !std::filesystem::exists(checkpoint_path(environment_.folder, run.depends_on))) {
    const auto base = std::find_if(plan_.runs.begin(), plan_.runs.end(),
                                   [&](const RunSpec& other) { return other.id == run.depends_on; });
    execute(*base);
  }
  std::atomic<std::int64_t> steps = 0;
  return execute_run(run, environment_, *backend_, steps);
}

std::string StudyBench::weights(const RunSpec& run) const {
  return sha256_file(checkpoint_path(environment_.folder, run.id));
}

std::string StudyBench::log(const RunSpec& run) const {
  return read_text(run_folder(environment_.folder, run.id) / "log.txt");
}

std::shared_ptr<Backbone> StudyBench::network() { return make_network(environment_.study, *data_.train, 3, *backend_); }

}  // namespace graft::testing
