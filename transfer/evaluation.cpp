#include "transfer/evaluation.h"

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

}  // namespace

Evaluation evaluate_network(Backbone& network, Backend& backend, Loader& loader, const std::function<void()>& between) {
  const NoGradScope no_grad;
  const ForwardContext context;
  const std::int64_t most = loader.batch_count();
  const Tensor top1 = backend.zeros({most}, DType::i64);
  const Tensor top5 = backend.zeros({most}, DType::i64);
  const Tensor losses = backend.zeros({most}, DType::f32);
  std::vector<std::int64_t> sizes;
  loader.start_epoch(0);
  while (const std::optional<Batch> batch = loader.next()) {
    if (between) between();
    const Tensor logits = network.forward(Variable(batch->items), context).value();
    const auto i = static_cast<std::int64_t>(sizes.size());
    const std::int64_t classes = logits.dim(1);
    backend.count_correct(logits, batch->labels, 1, top1.slice(i, i + 1));
    backend.count_correct(logits, batch->labels, std::min<std::int64_t>(5, classes), top5.slice(i, i + 1));
    backend.softmax_cross_entropy(logits, batch->labels, 0.0, losses.slice(i, i + 1), {});
    sizes.push_back(batch->count);
  }
  Evaluation result{.images = sum(sizes),
                    .top1 = sum(host_values<std::int64_t>(backend, top1)),
                    .top5 = sum(host_values<std::int64_t>(backend, top5))};
  const std::vector<float> means = host_values<float>(backend, losses);
  double total = 0.0;
  for (std::size_t i = 0; i < sizes.size(); ++i) total += static_cast<double>(means[i]) * static_cast<double>(sizes[i]);
  if (result.images > 0) result.loss = total / static_cast<double>(result.images);
  return result;
}

}  // namespace graft
