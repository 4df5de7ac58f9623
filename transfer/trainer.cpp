#include "transfer/trainer.h"

#include <algorithm>
#include <set>
#include <vector>

#include "engine/base/error.h"
#include "engine/ops/sigmoid_cross_entropy.h"
#include "engine/ops/softmax_cross_entropy.h"

namespace graft {
DType compute_dtype(const std::string& amp) {
  if (amp == "none") return DType::f32;
  if (amp == "bf16") return DType::bf16;
  fail(ErrorKind::usage, "--amp {} is not known: use none or bf16", amp);
}

void check_amp(const std::string& amp, const Backend& backend) {
  if (backend.supports(compute_dtype(amp))) return;
  fail(ErrorKind::usage, "--amp {} needs bf16 arithmetic, which {} does not have: use --amp none", amp,
       backend.device_kind());
}

Schedule make_schedule(const TrainingSettings& settings, std::int64_t steps_per_epoch) {
  Schedule schedule{.kind = schedule_kind_from_name(settings.schedule),
                    .base = settings.lr,
                    .total_steps = total_steps(settings, steps_per_epoch),
                    .warmup_steps = settings.warmup_steps,
                    .milestones = settings.milestones,
                    .gamma = settings.gamma};
  if (settings.iterations > 0) return schedule;
  for (std::int64_t& milestone : schedule.milestones) milestone *= steps_per_epoch;
  return schedule;
}

Trainer::Trainer(Backbone& network, Backend& backend, const TrainerOptions& options)
    : network_(network),
      backend_(backend),
      options_(options),
      schedule_(make_schedule(options.settings, options.steps_per_epoch)),
      optimizer_(options.settings,
                 parameter_groups(options.fine_tuning, options.fine_tuning_settings, network, options.carried_stages)),
      loss_sum_(backend.zeros({1}, DType::f32)),
      parameters_(network.parameters()),
      buffers_(network.buffers()),
      capture_(backend) {
  network.for_each_module([this](const std::string&, const Module& module) { modules_.push_back(&module); });
}

void Trainer::begin_epoch(std::int64_t epoch) {
  if (options_.carried_stages == 0) return;
  const int frozen =
      frozen_in_epoch(options_.fine_tuning, options_.fine_tuning_settings, options_.carried_stages, epoch);
  if (frozen == options_.frozen_stages) return;
  network_.freeze_until(frozen, BatchNormPolicy::eval);
  options_.frozen_stages = frozen;
}

void Trainer::step(const Batch& batch, int first_stage) {
  optimizer_.write_lr(learning_rate());
  const auto work = [&] { compute(batch, first_stage); };
  if (backend_.can_capture()) {
    replayed_ = capture_.run(key_of(batch, first_stage), work);
  } else {
    work();
  }
  if (replayed_) optimizer_.mark_updated();
  ++summed_;
  ++steps_;
}

/// The whole step on the backend: no number of it comes from the host.
void Trainer::compute(const Batch& batch, int first_stage) {
  const ForwardContext context{.training = true, .step = optimizer_.step_tensor(), .seed = options_.seed};
  const int frozen = options_.frozen_stages;
  const Tensor items = run_prefix(network_, batch.items, first_stage, frozen, context);
  const Variable logits = network_.forward_from(Variable(items), frozen, context);
  const Variable loss = loss_of(logits, batch);
  backend_.accumulate(loss.value(), loss_sum_);
  backward(loss);
  optimizer_.update(options_.settings.clip_norm);
}

Variable Trainer::loss_of(const Variable& logits, const Batch& batch) const {
  if (batch.targets.defined()) return sigmoid_cross_entropy(logits, batch.targets);
  return softmax_cross_entropy(logits, batch.labels, options_.settings.label_smoothing);
}

StepKey Trainer::key_of(const Batch& batch, int first_stage) const {
  StepKey key;
  key.reserve(2 * parameters_.size() + buffers_.size() + modules_.size() + 16);
  for (const Tensor& tensor : {batch.items, batch.labels, batch.targets}) {
    if (!tensor.defined()) continue;
    key.push_back(reinterpret_cast<std::uintptr_t>(tensor.raw()));
    key.push_back(static_cast<std::uint64_t>(tensor.dtype()));
    for (const std::int64_t extent : tensor.shape().dims()) key.push_back(static_cast<std::uint64_t>(extent));
  }
  key.push_back(static_cast<std::uint64_t>(first_stage));
  for (const auto& [name, parameter] : parameters_) {
    key.push_back(reinterpret_cast<std::uintptr_t>(parameter.value().raw()));
    // A frozen parameter's converted copy is made once: a captured step reads the copy that there was.
    key.push_back(parameter.requires_grad() ? 0 : 1 + parameter.changes());
  }
  for (const auto& [name, buffer] : buffers_) {
    key.push_back(reinterpret_cast<std::uintptr_t>(buffer.value().raw()));
  }
  for (const Module* module : modules_) {
    key.push_back(module->frozen() ? 1 + static_cast<std::uint64_t>(module->frozen_policy()) : 0);
  }
  return key;
}

double Trainer::take_mean_loss() {
  float sum = 0.0f;
  backend_.copy_to_host(loss_sum_, &sum);
  backend_.fill(0.0, loss_sum_);
  const double mean = summed_ == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(summed_);
  summed_ = 0;
  return mean;
}

Tensor run_prefix(Backbone& network, const Tensor& items, int first, int last, const ForwardContext& context) {
  if (first >= last) return items;
  const NoGradScope no_grad;
  return network.forward_stages(Variable(items), first, last, context).value();
}

std::vector<std::array<std::int64_t, 2>> evaluate_by_class(Backbone& network, Backend& backend, Loader& loader,
                                                           PrefixStages prefix, std::span<const std::int64_t> labels,
                                                           std::int64_t classes, const std::function<void()>& between) {
  const NoGradScope no_grad;
  const ForwardContext context;
  std::vector<std::array<std::int64_t, 2>> by_class(static_cast<std::size_t>(classes));
  // A count for each class of each batch, read back together at the end: no batch waits for the host.
  std::vector<std::int64_t> counted;
  const std::int64_t most = std::min<std::int64_t>(loader.batch_count() * classes, std::ssize(labels));
  const Tensor counts = backend.zeros({std::max<std::int64_t>(most, 1)}, DType::i64);
  loader.start_epoch(0);
  while (const std::optional<Batch> batch = loader.next()) {
    if (between) between();
    const Tensor items = run_prefix(network, batch->items, prefix.first, prefix.last, context);
    const Tensor logits = network.forward_from(Variable(items), prefix.last, context).value();
    const auto here = labels.first(static_cast<std::size_t>(batch->count));
    labels = labels.subspan(here.size());
    const std::set<std::int64_t> present(here.begin(), here.end());
    for (const std::int64_t label : present) {
      // Rows of other classes, and padding, are ignored.
      std::vector<std::int64_t> only(static_cast<std::size_t>(logits.dim(0)), -1);
      std::replace_copy_if(
          here.begin(), here.end(), only.begin(), [&](std::int64_t l) { return l != label; }, -1);
      const Tensor asked = backend.empty({logits.dim(0)}, DType::i64);
      backend.copy_from_host(only.data(), asked);
      const std::int64_t at = std::ssize(counted);
      backend.count_correct(logits, asked, 1, counts.slice(at, at + 1));
      counted.push_back(label);
    }
    for (const std::int64_t label : here) ++by_class[static_cast<std::size_t>(label)][1];
  }
  std::vector<std::int64_t> host(static_cast<std::size_t>(counts.numel()));
  backend.copy_to_host(counts, host.data());
  for (std::size_t i = 0; i < counted.size(); ++i) by_class[static_cast<std::size_t>(counted[i])][0] += host[i];
  return by_class;
}

}  // namespace graft
