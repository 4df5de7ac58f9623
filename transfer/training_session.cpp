#include "transfer/training_session.h"

#include <fcntl.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "engine/base/error.h"
#include "engine/io/atomic_file.h"
#include "engine/io/descriptor.h"
#include "engine/io/file.h"
#include "engine/io/safetensors.h"
#include "engine/nn/state.h"
#include "transfer/evaluation.h"
#include "transfer/event_file.h"
#include "transfer/folder_error.h"

namespace graft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kState = "state.safetensors";
constexpr std::string_view kEventPrefix = "events.out.tfevents.";
constexpr const char* kRole = "train";

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

LoaderOptions loader_options(const TrainingSessionOptions& options, const DatasetPair& data, bool training) {
  const TrainingSettings& settings = options.training;
  return {.batch_size = settings.batch_size,
          .shuffle = training,
          .drop_last = training,
          .pad_last = !training,
          .seed = options.seed,
          .role = kRole,
          .augment = training ? options.augment : AugmentOptions{},
          .targets = options.binary_loss,
          .threads = options.loader_threads,
          .dtype = compute_dtype(settings),
          .mean = data.mean,
          .deviation = data.deviation};
}

std::int64_t whole_batches(const Dataset& train, std::int64_t batch_size) {
  if (train.size() >= batch_size) return train.size() / batch_size;
  fail(ErrorKind::data, "--batch-size {} is more than the {} training images: lower it", batch_size, train.size());
}

}  // namespace

/// The event file of this process: begun anew with all rows, then appended to, since TensorBoard follows open files.
class TrainingSession::Events {
 public:
  explicit Events(const fs::path& folder) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (entry.path().filename().string().starts_with(kEventPrefix)) fs::remove(entry.path());
    }
    path_ = folder / fmt::format("{}{:.0f}.graft", kEventPrefix, seconds_since_1970());
    file_ = Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file_.is_open()) fail_system(ErrorKind::failure, path_, "create", errno);
    write(event_file_start(seconds_since_1970()));
  }
  void add(const EpochRow& row, const std::vector<std::string>& multi_label_classes) {
    std::vector<EventScalar> scalars{{"train/loss", static_cast<float>(row.train_loss)},
                                     {"train/lr", static_cast<float>(row.lr)},
                                     {"eval/loss", static_cast<float>(row.eval_loss)}};
    const auto add_scalar = [&](const std::string& name, const std::optional<double>& value) {
      if (value) scalars.push_back({name, static_cast<float>(*value)});
    };
    if (multi_label_classes.empty()) {
      add_scalar("eval/top1", row.eval_top1);
      add_scalar("eval/top5", row.eval_top5);
    } else {
      add_scalar("eval/auroc", row.eval_auroc.mean);
      for (std::size_t i = 0; i < multi_label_classes.size(); ++i) {
        add_scalar(fmt::format("eval/auroc/{}", multi_label_classes[i]), row.eval_auroc.labels[i]);
      }
    }
    write(scalar_event(seconds_since_1970(), row.epoch, scalars));
  }

 private:
  void write(std::string_view record) {
    if (!write_all(file_.get(), std::as_bytes(std::span(record)))) {
      fail_system(ErrorKind::failure, path_, "write", errno);
    }
  }

  fs::path path_;
  Descriptor file_;
};

TrainingSession::TrainingSession(const TrainingSessionOptions& options, DatasetPair data,
                                 std::shared_ptr<Backbone> network, Backend& backend)
    : options_(options),
      data_(std::move(data)),
      network_(std::move(network)),
      backend_(backend),
      steps_per_epoch_(whole_batches(*data_.train, options.training.batch_size)),
      trainer_([&]() -> Trainer {
        network_->freeze_until(options.frozen_stages, options.bn_policy);
        return {*network_, backend,
                TrainerOptions{.settings = options.training,
                               .steps_per_epoch = steps_per_epoch_,
                               .seed = options.seed,
                               .frozen_stages = options.frozen_stages}};
      }()) {
  if (data_.test->size() == 0) fail(ErrorKind::data, "the test set has no images");
  check(options_.binary_loss || !data_.train->multi_label(), "[train] multi-label data want binary cross-entropy");
  make_output_folder(options_.folder);
  remove_temporaries(options_.folder);
}

TrainingSession::~TrainingSession() = default;

void TrainingSession::check_stop() const {
  if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
    throw Error(fmt::format("interrupted after {} of {} epochs: run it again with --resume to go on", rows_.size(),
                            options_.training.epochs),
                ErrorKind::interrupted);
  }
}

void TrainingSession::run(const std::function<void(const EpochRow&, double)>& report) {
  if (!rows_.empty()) write_derived();
  Loader test(data_.test, backend_, loader_options(options_, data_, false));
  for (auto epoch = static_cast<std::int64_t>(rows_.size()); epoch < options_.training.epochs; ++epoch) {
    EpochRow row{.epoch = epoch, .lr = trainer_.learning_rate()};
    const double seconds = train_epoch(epoch);
    row.train_loss = trainer_.take_mean_loss();
    check(std::isfinite(row.train_loss), "the training loss is {} in epoch {}: try a lower --lr", row.train_loss,
          epoch);
    const Evaluation result = evaluate_network(
        *network_, backend_, test, {.auroc = data_.test->multi_label(), .between = [this] { check_stop(); }});
    row.eval_loss = result.loss;
    row.eval_top1 = result.top1_accuracy();
    row.eval_top5 = result.top5_accuracy();
    row.eval_auroc = result.auroc;
    rows_.push_back(row);
    save();
    write_derived();
    if (report) report(row, seconds);
  }
}

double TrainingSession::train_epoch(std::int64_t epoch) {
  const auto start = std::chrono::steady_clock::now();
  Loader loader(data_.train, backend_, loader_options(options_, data_, true));
  loader.start_epoch(epoch);
  while (true) {
    check_stop();
    const std::optional<Batch> batch = loader.next();
    if (!batch) break;
    trainer_.step(*batch, 0);
  }
  backend_.synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<NamedVariable> TrainingSession::whole_state() const {
  std::vector<NamedVariable> state = state_of(*network_);
  for (NamedVariable& named : trainer_.optimizer_state()) {
    state.push_back({"optimizer." + named.name, named.variable});
  }
  return state;
}

/// The best network first: if the state that names it best is not written, its epoch runs again and writes it again.
void TrainingSession::save() const {
  if (best_row(rows_) == &rows_.back()) {
    save_state(options_.folder / "best.safetensors", state_of(*network_), metadata(rows_.back().epoch));
  }
  save_state(options_.folder / kState, whole_state(), {{"summary", summary_csv(rows_, multi_label_classes())}});
}

std::map<std::string, std::string> TrainingSession::metadata(std::int64_t epoch) const {
  std::map<std::string, std::string> metadata = options_.metadata;
  metadata["format"] = "pt";
  metadata["epoch"] = std::to_string(epoch);
  return metadata;
}

void TrainingSession::write_derived() {
  save_state(options_.folder / "last.safetensors", state_of(*network_), metadata(rows_.back().epoch));
  write_text_atomically(options_.folder / "summary.csv", summary_csv(rows_, multi_label_classes()));
  if (events_) {
    events_->add(rows_.back(), multi_label_classes());
    return;
  }
  events_ = std::make_unique<Events>(options_.folder);
  for (const EpochRow& row : rows_) events_->add(row, multi_label_classes());
}

std::vector<std::string> TrainingSession::multi_label_classes() const {
  return data_.train->multi_label() ? data_.train->class_names() : std::vector<std::string>{};
}

void TrainingSession::resume() {
  const fs::path path = options_.folder / kState;
  const std::map<std::string, std::string> metadata = read_metadata(path);
  const auto summary = metadata.find("summary");
  if (summary == metadata.end()) fail(ErrorKind::data, "{}: is not the state of a training session", path.string());
  std::vector<EpochRow> rows = parse_summary_csv(summary->second, path.string(), multi_label_classes());
  load_state(path, whole_state());
  trainer_.resume(static_cast<std::int64_t>(rows.size()) * steps_per_epoch_);
  rows_ = std::move(rows);
}

bool holds_training_session(const fs::path& folder) { return fs::exists(folder / kState); }

}  // namespace graft
