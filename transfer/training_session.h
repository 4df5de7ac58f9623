#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "models/backbone.h"
#include "transfer/epoch_row.h"
#include "transfer/study.h"
#include "transfer/trainer.h"

namespace graft {

/// One network trained and tested epoch by epoch: what `graft train` does.
struct TrainingSessionOptions {
  TrainingSettings training;  ///< but for its augmentation
  AugmentOptions augment{};   ///< of the training images
  /// Binary cross-entropy of every class by itself in place of softmax cross-entropy; what multi-label data need.
  bool binary_loss = false;
  std::uint64_t seed = 0;  ///< keys image order, augmentation and dropout
  int frozen_stages = 0;   ///< leading stages that stay as they are
  BatchNormPolicy bn_policy = BatchNormPolicy::eval;
  std::map<std::string, std::string> metadata{};  ///< of the weights' files
  std::filesystem::path folder;                   ///< where the files go; made if it is not there
  int loader_threads = 0;
  const std::atomic<bool>* stop = nullptr;  ///< true: end at the next step
};

/// Files in the folder, each replaced as a whole:
/// - last.safetensors, best.safetensors: parameters and buffers after the last epoch and after the one with the
///   greatest test accuracy or, of multi-label data, mean AUROC;
/// - state.safetensors: all that resume() needs: parameters, buffers, the optimizer's state ("optimizer." before its
///   names) and, as metadata, the rows of summary.csv. The other files follow from it;
/// - summary.csv: a line an epoch; events.out.tfevents.*: the same for TensorBoard.
class TrainingSession {
 public:
  /// `network` must have its first values. Freezes it as the options say. Throws Error(data) if a part of `data` has
  /// too few images.
  TrainingSession(const TrainingSessionOptions& options, DatasetPair data, std::shared_ptr<Backbone> network,
                  Backend& backend);
  ~TrainingSession();

  /// Goes on from the folder's state.safetensors: what follows has the bits of a session that was never interrupted.
  /// Throws Error(data) if it is missing, damaged or another network's.
  void resume();
  /// Trains the epochs that are left; `report` is called after each, with its seconds of training. Throws
  /// Error(interrupted) soon after `stop`, Error(failure) if the loss is no number or the folder cannot be written.
  void run(const std::function<void(const EpochRow&, double)>& report = {});

  const std::vector<EpochRow>& rows() const { return rows_; }

 private:
  class Events;

  void check_stop() const;
  double train_epoch(std::int64_t epoch);
  std::vector<NamedVariable> whole_state() const;
  void save() const;
  std::map<std::string, std::string> metadata(std::int64_t epoch) const;
  void write_derived();
  std::vector<std::string> multi_label_classes() const;

  TrainingSessionOptions options_;
  DatasetPair data_;
  std::shared_ptr<Backbone> network_;
  Backend& backend_;
  std::int64_t steps_per_epoch_;
  Trainer trainer_;
  std::vector<EpochRow> rows_;
  std::unique_ptr<Events> events_;
};

/// True iff `folder` holds a session's state.
bool holds_training_session(const std::filesystem::path& folder);

}  // namespace graft
