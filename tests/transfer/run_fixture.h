#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "datasets/dataset.h"
#include "engine/backend/backend.h"
#include "tests/transfer/study_fixture.h"
#include "transfer/executor.h"

namespace graft::testing {

struct SyntheticData {
  std::int64_t size = 28;
  std::int64_t channels = 1;
  std::int64_t train_per_class = 24;
  std::int64_t test_per_class = 6;
};

/// Six classes "c0" ... "c5" of images: stripes whose width tells the class, under noise. Fixed by a Philox seed.
DatasetPair synthetic_data(const SyntheticData& shape);

/// A study of these classes: c0, c1, c2 to c3, c4, c5, the paper's treatments, seed 0, one epoch in batches of 16.
/// `more` are further lines of the file, `training` further entries of its training section.
struct SyntheticStudy {
  std::string model = "convnet6";
  std::string cuts = "[1, 3]";
  std::string more{};
  std::string training = "epochs: 1, batch_size: 16, lr: 0.02";
  std::string split = "{source: [c0, c1, c2], target: [c3, c4, c5]}";
  std::string treatments = "[base, BnB, BnB+, AnB, AnB+, random]";
  std::string seeds = "[0]";
};
Study synthetic_study(const SyntheticStudy& study);

/// A study's folder, environment and plan; runs are executed one by one.
class StudyBench {
 public:
  StudyBench(const SyntheticStudy& study, const SyntheticData& shape, bool feature_cache = true, int threads = 1);

  const RunSpec& find(const std::string& treatment, int cut, const std::string& target = "B",
                      std::uint64_t seed = 0) const;
  /// Executes the run, and its base before it if that has not been.
  RunResult execute(const RunSpec& run);
  RunResult execute(const std::string& treatment, int cut) { return execute(find(treatment, cut)); }
  /// SHA-256 of the weights that a run has left.
  std::string weights(const RunSpec& run) const;
  std::string log(const RunSpec& run) const;

  Backend& backend() { return *backend_; }
  const Plan& plan() const { return plan_; }
  RunEnvironment& environment() { return environment_; }
  /// A network for this study, its values not set.
  std::shared_ptr<Backbone> network();

 private:
  TemporaryFolder folder_;
  DatasetPair data_;
  std::unique_ptr<Backend> backend_;
  Plan plan_;
  std::unique_ptr<FeatureCache> cache_;
  RunEnvironment environment_;
};

}  // namespace graft::testing
