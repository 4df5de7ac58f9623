#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/loader.h"
#include "engine/optim/schedule.h"
#include "models/backbone.h"
#include "transfer/group_optimizer.h"
#include "transfer/step_capture.h"
#include "transfer/study.h"

namespace graft {

/// What a trainer needs to know beside the network.
struct TrainerOptions {
  TrainingSettings settings;
  std::int64_t steps_per_epoch = 1;
  std::uint64_t seed = 0;  ///< keys dropout
  int frozen_stages = 0;   ///< leading stages that run without a tape; frozen by the caller with freeze_until
  FineTuning fine_tuning = FineTuning::plain;  ///< of the carried stages, none of which are frozen at the start
  FineTuningSettings fine_tuning_settings{};
  int carried_stages = 0;
};

/// The dtype that `amp`, "none" or "bf16", makes a network compute in.
DType compute_dtype(const std::string& amp);
inline DType compute_dtype(const TrainingSettings& settings) { return compute_dtype(settings.amp); }
/// Throws Error(usage) "--amp bf16 ..." if `backend` cannot compute what `amp` asks for.
void check_amp(const std::string& amp, const Backend& backend);
inline void check_amp(const TrainingSettings& settings, const Backend& backend) { check_amp(settings.amp, backend); }
/// The learning rate over a whole run: milestones are turned from epochs into steps.
Schedule make_schedule(const TrainingSettings& settings, std::int64_t steps_per_epoch);

/// Trains one network: a step is forward, loss, backward, optimizer. Nothing is read back within an epoch. Where the
/// backend can, a step on memory that stays is captured at its second time and replayed from then on, with the same
/// bits; it is captured anew when the batch lies elsewhere, or what is trained or how frozen statistics are used
/// changes.
class Trainer {
 public:
  /// Frozen parameters must be frozen already: the optimizer leaves them out.
  Trainer(Backbone& network, Backend& backend, const TrainerOptions& options);

  /// Freezes and thaws what the fine-tuning policy says for this epoch, from 0. Needed before its first step.
  void begin_epoch(std::int64_t epoch);
  /// One step on a batch whose items go into stage `first_stage`: 0 for images, frozen_stages for cached features. The
  /// loss is softmax cross-entropy, or binary cross-entropy of every class where the batch has targets.
  void step(const Batch& batch, int first_stage);
  std::int64_t steps() const { return steps_; }
  /// Goes on as after `steps` steps; the network and optimizer_state() must have been given their values of then.
  void resume(std::int64_t steps) { steps_ = steps; }
  std::vector<NamedVariable> optimizer_state() const { return optimizer_.state(); }
  /// True iff the last step was a replay of captured work.
  bool replayed() const { return replayed_; }
  /// Learning rate of the next step.
  double learning_rate() const { return schedule_.at(steps_); }
  /// Mean loss in nats of the steps since the last call: waits for the backend.
  double take_mean_loss();

 private:
  void compute(const Batch& batch, int first_stage);
  Variable loss_of(const Variable& logits, const Batch& batch) const;
  StepKey key_of(const Batch& batch, int first_stage) const;

  Backbone& network_;
  Backend& backend_;
  TrainerOptions options_;
  Schedule schedule_;
  GroupOptimizer optimizer_;
  Tensor loss_sum_;                        ///< f32 [1] of the steps since take_mean_loss
  std::vector<NamedVariable> parameters_;  ///< the network's, frozen ones too
  std::vector<NamedVariable> buffers_;
  std::vector<const Module*> modules_;
  StepCapture capture_;
  bool replayed_ = false;
  std::int64_t summed_ = 0;
  std::int64_t steps_ = 0;
};

/// Runs stages [first, last) of frozen layers: no tape, the value alone. The one way in which a frozen prefix runs,
/// with the feature cache and without.
Tensor run_prefix(Backbone& network, const Tensor& items, int first, int last, const ForwardContext& context);

/// The stages of a frozen prefix that are left to run: first is 0 where items are images, last where they are its
/// features.
struct PrefixStages {
  int first = 0;
  int last = 0;
};

/// Right answers (top 1) and items of every class over all batches of `loader`: {right, items} in the order of labels.
/// `labels` are the items' in the loader's order, each in [0, classes); `between` is called before every batch and may
/// throw.
std::vector<std::array<std::int64_t, 2>> evaluate_by_class(Backbone& network, Backend& backend, Loader& loader,
                                                           PrefixStages prefix, std::span<const std::int64_t> labels,
                                                           std::int64_t classes,
                                                           const std::function<void()>& between = {});

}  // namespace graft
