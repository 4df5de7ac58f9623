#include "transfer/executor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/safetensors.h"
#include "engine/io/sha256.h"
#include "engine/nn/state.h"
#include "transfer/answers.h"
#include "transfer/folder_error.h"
#include "transfer/half_data.h"
#include "transfer/image_preparation.h"
#include "transfer/run_files.h"
#include "transfer/run_log.h"
#include "transfer/run_network.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A square of the side that the centre crop takes of an image's shorter side.
std::optional<RandomResizedCrop> random_crop_of(const Study& study) {
  if (!study.training.random_crop) return std::nullopt;
  const ImageTransform images = image_transform(study.model, study.images.value_or(ImagePreparation{}));
  return RandomResizedCrop{.side = static_cast<double>(images.size) / static_cast<double>(images.resize)};
}

LoaderOptions training_loader(const Study& study, const RunSpec& run, const StudyData& data) {
  return {.batch_size = study.training.batch_size,
          .shuffle = true,
          .drop_last = true,
          .seed = run.seed,
          .role = run.target == "A" ? "source" : "target",
          .augment = {.crop_padding = study.training.crop_padding,
                      .flip = study.training.flip,
                      .resized_crop = random_crop_of(study)},
          .dtype = compute_dtype(study.training),
          .mean = data.of(run.target).mean,
          .deviation = data.of(run.target).deviation};
}

RunResult result_of(const RunSpec& run, const RunEnvironment& environment) {
  RunResult result;
  result.id = run.id;
  result.treatment = name_of(run.treatment);
  if (fine_tunes(run.treatment)) result.fine_tuning = name_of(run.fine_tuning);
  if (freezes(run.treatment)) result.batch_norm_policy = name_of(run.bn_policy);
  result.cut = run.cut;
  result.split = run.split.name;
  result.source = run.source;
  result.target = run.target;
  result.seed = run.seed;
  result.classes = static_cast<std::int64_t>(target_classes(run).size());
  result.binary = environment.binary;
  result.versions = environment.versions;
  return result;
}

/// One run, phase by phase; lives as long as execute_run.
class Execution {
 public:
  Execution(const RunSpec& run, const RunEnvironment& environment, Backend& backend, std::atomic<std::int64_t>& steps)
      : run_(run),
        environment_(environment),
        study_(environment.study),
        training_(training_of(environment.study, run)),
        backend_(backend),
        steps_done_(steps),
        half_(open_half(study_, environment.data, run)),
        network_(make_run_network(run, study_, *half_.train, backend)),
        frozen_(frozen_stages(run)) {}

  RunResult execute() {
    const auto start = std::chrono::steady_clock::now();
    writing_to_folder([&] { log_.emplace(run_folder(environment_.folder, run_.id)); });
    remove_temporaries(run_folder(environment_.folder, run_.id));
    RunResult result = result_of(run_, environment_);
    initialize_run(*network_, run_, environment_.folder);
    network_->freeze_until(frozen_, run_.bn_policy);
    result.frozen_hash_before = frozen_hash();
    train(result);
    result.frozen_hash_after = frozen_hash();
    check(result.frozen_hash_before == result.frozen_hash_after, "[train] frozen stages changed: {} became {}",
          result.frozen_hash_before, result.frozen_hash_after);
    test(result);
    writing_to_folder([&] {
      save_state(checkpoint_path(environment_.folder, run_.id), state_of(*network_),
                 {{"run", run_.id}, {"model", study_.model}});
    });
    for (const char* name : {"checkpoint.safetensors", "log.txt"}) {
      result.files[name] = sha256_file(run_folder(environment_.folder, run_.id) / name);
    }
    result.seconds = seconds_since(start);
    return result;
  }

  /// What the checkpoint that the run has left says of the test images.
  RunResult test_again() {
    RunResult result = result_of(run_, environment_);
    load_state(checkpoint_path(environment_.folder, run_.id), state_of(*network_));
    network_->freeze_until(frozen_, run_.bn_policy);
    test(result);
    return result;
  }

 private:
  void check_stop() const {
    if (environment_.stop != nullptr && environment_.stop->load(std::memory_order_relaxed)) {
      throw Error("interrupted", ErrorKind::interrupted);
    }
  }

  void log(const std::string& line) {
    if (log_) writing_to_folder([&] { log_->line(line); });
  }

  std::string frozen_hash() const {
    return frozen_ == 0 ? "" : hash_state(frozen_state(*network_, frozen_, run_.bn_policy));
  }

  /// The features of `images` behind the frozen prefix, or nothing where it has to run at every step. What stages of
  /// published weights give is the same for all seeds, and shared.
  DatasetPtr cached_features(const DatasetPtr& images, const LoaderOptions& options) {
    FeatureCache* cache = environment_.features;
    if (cache == nullptr || !can_cache_features(*network_, frozen_, run_.bn_policy, options.augment)) return nullptr;
    const FrozenPrefix prefix{.network = *network_, .cut = frozen_, .images = images, .loader = options};
    const auto between = [this] { check_stop(); };
    const auto make = [&](const std::string& key) { return cache_features(*cache, key, prefix, backend_, between); };
    if (!carries_published(run_, study_)) return make(run_.id);
    const std::string key = prefix.hash();
    return cache->get(
        key, [&] { return make(key); }, between);
  }

  /// Test images pass a prefix once in a run; a probe's pooled features are few enough to keep them for other seeds.
  DatasetPtr cached_test_features(const LoaderOptions& options) {
    const bool shared = run_.treatment == Treatment::probe && carries_published(run_, study_);
    return shared ? cached_features(half_.test, options) : nullptr;
  }

  void train(RunResult& result) {
    const LoaderOptions options = training_loader(study_, run_, environment_.data);
    const DatasetPtr features = cached_features(half_.train, options);
    Loader loader(features ? features : half_.train, backend_, options);
    const std::int64_t per_epoch = steps_per_epoch(*half_.train, training_);
    Trainer trainer(*network_, backend_,
                    {.settings = training_,
                     .steps_per_epoch = per_epoch,
                     .seed = run_.seed,
                     .frozen_stages = frozen_,
                     .fine_tuning = run_.fine_tuning,
                     .fine_tuning_settings = study_.fine_tuning_settings,
                     .carried_stages = fine_tunes(run_.treatment) ? run_.cut : 0});
    const std::int64_t total = total_steps(training_, per_epoch);
    const std::int64_t epochs = (total + per_epoch - 1) / per_epoch;
    auto start = std::chrono::steady_clock::now();
    std::int64_t told = 0;  // steps before `start`
    for (std::int64_t epoch = 0, done = 0; epoch < epochs; ++epoch) {
      trainer.begin_epoch(epoch);
      const double lr = trainer.learning_rate();
      train_epoch(trainer, loader, epoch, features ? frozen_ : 0, std::min(per_epoch, total - done));
      done += std::min(per_epoch, total - done);
      result.epoch = epoch + 1;
      // A last part of an epoch may be a step or two: its loss is counted with that of the epoch before it.
      if (done < total && total - done < per_epoch) continue;
      result.train_loss = trainer.take_mean_loss();
      const double images = static_cast<double>((done - std::exchange(told, done)) * training_.batch_size);
      log(fmt::format("epoch {}/{}: loss {:.6f}, lr {:.6g}, {:.0f} images/s{}", epoch + 1, epochs, result.train_loss,
                      lr, images / seconds_since(start), features ? ", cached features" : ""));
      start = std::chrono::steady_clock::now();
      check(std::isfinite(result.train_loss), "the training loss is {} after epoch {}: try a lower training.lr",
            result.train_loss, epoch + 1);
    }
  }

  /// The first `steps` of an epoch.
  void train_epoch(Trainer& trainer, Loader& loader, std::int64_t epoch, int first_stage, std::int64_t steps) {
    loader.start_epoch(epoch);
    for (std::int64_t step = 0; step < steps; ++step) {
      check_stop();
      const std::optional<Batch> batch = loader.next();
      if (!batch) return;
      trainer.step(*batch, first_stage);
      steps_done_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Tests in batches of the training batch's size, the last one padded: the prefix keeps its one batch size.
  void test(RunResult& result) {
    LoaderOptions options = training_loader(study_, run_, environment_.data);
    options.shuffle = false;
    options.drop_last = false;
    options.pad_last = true;
    options.augment = {};
    const DatasetPtr features = cached_test_features(options);
    Loader loader(features ? features : half_.test, backend_, options);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < half_.test->size(); ++i) labels.push_back(half_.test->label(i));
    const std::vector<bool> right = right_answers(
        *network_, backend_, loader, labels,
        {.first_stage = features ? frozen_ : 0, .frozen_stages = frozen_, .between = [this] { check_stop(); }});
    result.by_class = count_answers(right, labels, result.classes);
    if (const Subgroups& subgroups = environment_.subgroups; !subgroups.empty() && has_subgroups(run_, study_)) {
      result.by_subgroup = count_answers(right, subgroups_of(subgroups, half_.test_items), std::ssize(subgroups.names));
    }
    result.correct = std::count(right.begin(), right.end(), true);
    result.n_test = half_.test->size();
    check(result.n_test > 0, "the test set has no images of these classes");
    result.top1 = static_cast<double>(result.correct) / static_cast<double>(result.n_test);
    log(fmt::format("test: top-1 {:.4f} ({}/{})", result.top1, result.correct, result.n_test));
  }

  const RunSpec& run_;
  const RunEnvironment& environment_;
  const Study& study_;
  const TrainingSettings training_;
  Backend& backend_;
  std::atomic<std::int64_t>& steps_done_;
  HalfData half_;
  std::shared_ptr<Backbone> network_;
  int frozen_;
  std::optional<RunLog> log_;  ///< while it trains
};

}  // namespace

RunResult execute_run(const RunSpec& run, const RunEnvironment& environment, Backend& backend,
                      std::atomic<std::int64_t>& steps_done) {
  return Execution(run, environment, backend, steps_done).execute();
}

RunResult test_again(const RunSpec& run, const RunEnvironment& environment, Backend& backend) {
  std::atomic<std::int64_t> steps = 0;
  return Execution(run, environment, backend, steps).test_again();
}

RunResult failed_result(const RunSpec& run, const RunEnvironment& environment, const std::string& error) {
  RunResult result = result_of(run, environment);
  result.status = "failed";
  result.error = error;
  for (char& c : result.error) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return result;
}

}  // namespace graft
