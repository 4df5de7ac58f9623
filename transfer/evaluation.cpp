#include "transfer/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "engine/autograd/variable.h"

namespace graft {
namespace {

template <class T>
std::vector<T> host_values(Backend& backend, const Tensor& tensor) {
  std::vector<T> values(static_cast<std::size_t>(tensor.numel()));
  if (!values.empty()) backend.copy_to_host(tensor, values.data());
  return values;
}

std::int64_t sum(const std::vector<std::int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

/// Logits and targets of all batches, kept on the backend.
class ScoreKeeper {
 public:
  ScoreKeeper(Backend& backend, std::int64_t rows) : backend_(backend), rows_(rows) {}

  void add(const Tensor& logits, const Tensor& targets) {
    if (!logits_.defined()) {
      logits_ = backend_.empty({rows_, logits.dim(1)}, DType::f32);
      targets_ = backend_.empty({rows_, logits.dim(1)}, DType::f32);
    }
    backend_.cast(logits, logits_.slice(count_, count_ + logits.dim(0)));
    backend_.copy(targets, targets_.slice(count_, count_ + logits.dim(0)));
    count_ += logits.dim(0);
  }

  /// Loss and AUROC. Padding has no known target and so no part in either.
  void report(Evaluation& into) const {
    if (count_ == 0) return;
    const std::int64_t classes = logits_.dim(1);
    const std::vector<float> logits = host_values<float>(backend_, logits_.slice(0, count_));
    const std::vector<float> targets = host_values<float>(backend_, targets_.slice(0, count_));
    into.auroc = auroc_by_label(logits, targets, classes);
    double sum = 0.0;
    std::int64_t known = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (targets[i] < 0.0f) continue;
      const double x = logits[i];
      sum += std::max(x, 0.0) - x * static_cast<double>(targets[i]) + std::log1p(std::exp(-std::abs(x)));
      ++known;
    }
    into.loss = known == 0 ? 0.0 : sum / static_cast<double>(known);
  }

 private:
  Backend& backend_;
  std::int64_t rows_;
  std::int64_t count_ = 0;
  Tensor logits_;
  Tensor targets_;
};

}  // namespace

Evaluation evaluate_network(Backbone& network, Backend& backend, Loader& loader, const EvaluationOptions& options) {
  const NoGradScope no_grad;
  const ForwardContext context;
  const std::int64_t most = loader.batch_count();
  const Tensor top1 = backend.zeros({most}, DType::i64);
  const Tensor top5 = backend.zeros({most}, DType::i64);
  const Tensor losses = backend.zeros({most}, DType::f32);
  std::optional<ScoreKeeper> scores;
  std::vector<std::int64_t> sizes;
  loader.start_epoch(0);
  while (const std::optional<Batch> batch = loader.next()) {
    if (options.between) options.between();
    const Tensor logits = network.forward(Variable(batch->items), context).value();
    const auto i = static_cast<std::int64_t>(sizes.size());
    const std::int64_t classes = logits.dim(1);
    backend.count_correct(logits, batch->labels, 1, top1.slice(i, i + 1));
    backend.count_correct(logits, batch->labels, std::min<std::int64_t>(5, classes), top5.slice(i, i + 1));
    if (options.auroc) {
      if (!scores) scores.emplace(backend, most * logits.dim(0));
      scores->add(logits, batch->targets);
    } else if (batch->targets.defined()) {
      backend.sigmoid_cross_entropy(logits, batch->targets, losses.slice(i, i + 1), {});
    } else {
      backend.softmax_cross_entropy(logits, batch->labels, 0.0, losses.slice(i, i + 1), {});
    }
    sizes.push_back(batch->count);
  }
  Evaluation result{.images = sum(sizes),
                    .top1 = sum(host_values<std::int64_t>(backend, top1)),
                    .top5 = sum(host_values<std::int64_t>(backend, top5))};
  if (scores) {
    scores->report(result);
    return result;
  }
  const std::vector<float> means = host_values<float>(backend, losses);
  double total = 0.0;
  for (std::size_t i = 0; i < sizes.size(); ++i) total += static_cast<double>(means[i]) * static_cast<double>(sizes[i]);
  if (result.images > 0) result.loss = total / static_cast<double>(result.images);
  return result;
}

}  // namespace graft
