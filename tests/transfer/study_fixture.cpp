#include "tests/transfer/study_fixture.h"

#include <cmath>
#include <fstream>
#include <memory>

#include "engine/base/error.h"
#include "engine/base/philox.h"
#include "engine/io/file.h"

namespace graft::testing {
namespace {

const std::vector<std::string> kClasses{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                        "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

class FakeDataset : public Dataset {
 public:
  explicit FakeDataset(std::int64_t per_class) : per_class_(per_class) {}
  std::int64_t size() const override { return 10 * per_class_; }
  Shape item_shape() const override { return Shape{28, 28, 1}; }
  DType item_dtype() const override { return DType::u8; }
  std::int64_t label(std::int64_t index) const override { return index % 10; }
  void read(std::int64_t, std::span<std::byte>) const override { throw Error("[fake] no images"); }
  const std::vector<std::string>& class_names() const override { return kClasses; }
  std::string content_hash() const override { return "fake"; }

 private:
  std::int64_t per_class_;
};

/// Invented: what the cut costs a treatment.
double invented_fall(const RunSpec& run) {
  const double depth = run.cut / 6.0;
  switch (run.treatment) {
    case Treatment::anb:
      return 0.12 * depth * depth * depth;
    case Treatment::random:
      return 0.02 + 0.11 * depth;
    case Treatment::anb_plus:
      return -0.008;
    default:
      return 0.0;
  }
}

}  // namespace

std::filesystem::path shipped_study(const std::string& name) {
  return std::filesystem::path(GRAFT_SOURCE_DIR) / "studies" / (name + ".yaml");
}

DatasetPair fake_fashion_mnist(std::int64_t train_per_class, std::int64_t test_per_class) {
  return {std::make_shared<FakeDataset>(train_per_class),
          std::make_shared<FakeDataset>(test_per_class),
          {0.286f},
          {0.353f}};
}

Plan plan_of(const Study& study, const RunContext& context) {
  return make_plan(study, fake_fashion_mnist(), 6, context);
}

std::vector<RunResult> invented_results(const Plan& plan) {
  std::vector<RunResult> results;
  for (const RunSpec& run : plan.runs) {
    const auto words = RandomStream{run.seed, stream_of(run.id)}.words(0, 0);
    RunResult r;
    r.id = run.id;
    r.treatment = name_of(run.treatment);
    r.cut = run.cut;
    r.split = run.split.name;
    r.source = run.source;
    r.target = run.target;
    r.seed = run.seed;
    r.classes = 5;
    r.n_test = 5000;
    const bool at_chance = run.treatment == Treatment::random && run.cut == 5 && run.seed == 0;
    const double top1 = at_chance ? 0.2 : 0.8 - invented_fall(run) + 0.006 * normal_pair(words[0], words[1])[0];
    r.correct = std::lround(top1 * 5000.0);
    r.top1 = static_cast<double>(r.correct) / 5000.0;
    r.train_loss = at_chance ? std::log(5.0) : 0.4;
    r.epoch = 10;
    r.binary = std::string(64, 'b');
    r.versions = {{"oneDNN", "2.6.3"}};
    r.seconds = 1.0 + 0.1 * words[2] * 0x1p-32;
    results.push_back(std::move(r));
  }
  return results;
}

Manifest invented_manifest(const Plan& plan) {
  Manifest m;
  m.study = plan.study.name;
  m.study_sha256 = std::string(64, '5');
  m.dataset = plan.study.dataset;
  m.data = {{"test", std::string(64, '7')}, {"train", std::string(64, '6')}};
  m.stages = {"conv1", "conv2", "conv3", "conv4", "conv5", "fc1"};
  m.splits = manifest_splits(plan, kClasses, kClasses);
  m.seeds = plan.study.seeds;
  m.weights = {{plan.runs.front().id, std::string(64, '8')}};
  m.binaries = {{std::string(64, 'b'), {{"oneDNN", "2.6.3"}}}};
  m.device_kind = "avx2";
  m.device_name = "an invented processor";
  m.threads = 1;
  m.jobs = 2;
  m.command_lines = {{"graft", "study", "run", "studies/fashion-mnist-clothing.yaml", "--data-dir", "my data"}};
  return m;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void write_results_folder(const std::filesystem::path& folder, const std::string& study,
                          const std::vector<RunResult>& results) {
  std::filesystem::copy_file(shipped_study(study), folder / "study.yaml");
  write_manifest(folder, invented_manifest(plan_of(read_study(shipped_study(study)))));
  std::string lines;
  for (const RunResult& result : results) lines += to_json_line(result) + "\n";
  write_text(folder / "results.jsonl", lines);
}

}  // namespace graft::testing
