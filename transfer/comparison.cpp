#include "transfer/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "engine/autograd/variable.h"
#include "engine/base/error.h"
#include "engine/nn/batch_norm2d.h"
#include "transfer/comparison_alignment.h"
#include "transfer/distributions.h"
#include "transfer/evaluation.h"

namespace graft {
namespace {

std::vector<float> host_floats(Backend& backend, const Tensor& tensor) {
  Tensor wide = tensor;
  if (tensor.dtype() != DType::f32) {
    wide = backend.empty(tensor.shape(), DType::f32);
    backend.cast(tensor, wide);
  }
  std::vector<float> values(static_cast<std::size_t>(wide.numel()));
  if (!values.empty()) backend.copy_to_host(wide, values.data());
  return values;
}

/// The Gram matrix of a batch's features, whose mean is taken off first: HSIC_1 does not see it, rounding does.
std::vector<double> gram_matrix(Backend& backend, const Tensor& features, std::int64_t count) {
  const Tensor rows = features.slice(0, count);
  const std::int64_t width = count == 0 ? 0 : rows.numel() / count;
  Tensor x = rows.reshape({count, width});
  if (x.dtype() != DType::f32) {
    const Tensor wide = backend.empty(x.shape(), DType::f32);
    backend.cast(x, wide);
    x = wide;
  }
  const Tensor sum = backend.empty({width}, DType::f32);
  const Tensor mean = backend.empty({width}, DType::f32);
  const Tensor share = backend.empty({1}, DType::f32);
  const Tensor ones = backend.empty({width}, DType::f32);
  const Tensor centred = backend.empty(x.shape(), DType::f32);
  backend.sum_rows(x, sum);
  backend.fill(1.0 / static_cast<double>(count), share);
  backend.scale(sum, share, mean);
  backend.fill(1.0, ones);
  backend.batch_norm_eval(x, {}, ones, backend.zeros({width}, DType::f32), mean, ones, {.eps = 0.0}, centred);
  const GemmOptions product{.transpose_b = true};
  const Tensor gram = backend.empty({count, count}, DType::f32);
  const Tensor scratch =
      backend.scratch(backend.gemm_scratch_bytes(centred.shape(), centred.shape(), DType::f32, DType::f32, product));
  backend.gemm(centred, centred, {}, product, scratch, gram);
  const std::vector<float> values = host_floats(backend, gram);
  return {values.begin(), values.end()};
}

/// The largest logit's class of each row, the lower of equal ones; -1 where one is no number: wrong, and like nothing.
std::vector<std::int64_t> answers(Backend& backend, const Tensor& logits) {
  const std::vector<float> values = host_floats(backend, logits);
  const auto classes = static_cast<std::size_t>(logits.dim(1));
  std::vector<std::int64_t> chosen;
  for (std::size_t row = 0; row * classes < values.size(); ++row) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(row * classes);
    const auto last = first + static_cast<std::ptrdiff_t>(classes);
    const bool number = std::none_of(first, last, [](float value) { return std::isnan(value); });
    chosen.push_back(number ? std::max_element(first, last) - first : -1);
  }
  return chosen;
}

void count_answers(Churn& churn, std::int64_t first, std::int64_t second, std::int64_t label) {
  ++churn.images;
  if (first == label && second == label) {
    ++churn.both_right;
  } else if (first == label) {
    ++churn.only_first;
  } else if (second == label) {
    ++churn.only_second;
  } else if (first == second) {
    ++churn.both_wrong_alike;
  } else {
    ++churn.both_wrong_apart;
  }
}

/// Values of all parameters and floating buffers of a network, and what becomes of them on a line to another's.
class Line {
 public:
  Line(const Backbone& a, const Backbone& b, Backend& backend) : backend_(backend) {
    add(a.parameters(), b.parameters());
    add(a.buffers(), b.buffers());
  }

  void write(double t, Backbone& into) {
    write(t, into.parameters());
    write(t, into.buffers());
  }

 private:
  void add(const std::vector<NamedVariable>& a, const std::vector<NamedVariable>& b) {
    check(a.size() == b.size(), "[line] networks of {} and {} tensors", a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i].variable.dtype() != DType::f32) continue;
      check(a[i].name == b[i].name && a[i].variable.shape() == b[i].variable.shape(), "[line] {} {} and {} {}",
            a[i].name, a[i].variable.shape().str(), b[i].name, b[i].variable.shape().str());
      ends_[a[i].name] = {host_floats(backend_, a[i].variable.value()), host_floats(backend_, b[i].variable.value())};
    }
  }

  void write(double t, const std::vector<NamedVariable>& variables) {
    for (const NamedVariable& named : variables) {
      const auto found = ends_.find(named.name);
      if (found == ends_.end()) continue;
      const auto& [a, b] = found->second;
      std::vector<float> mixed(a.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        mixed[i] = static_cast<float>((1.0 - t) * static_cast<double>(a[i]) + t * static_cast<double>(b[i]));
      }
      Variable variable = named.variable;
      backend_.copy_from_host(mixed.data(), variable.value());
      variable.mark_changed();
    }
    backend_.synchronize();
  }

  Backend& backend_;
  std::map<std::string, std::pair<std::vector<float>, std::vector<float>>> ends_;
};

/// A running statistic with what its batches came to.
struct Statistic {
  Variable variable;
  double momentum = 0.0;
  std::vector<double> sum{};
};

void write_values(Backend& backend, Variable& variable, const std::vector<float>& values) {
  backend.copy_from_host(values.data(), variable.value());
  backend.synchronize();
  variable.mark_changed();
}

}  // namespace

WeightDistance weight_distance(const std::vector<NamedVariable>& a, const std::vector<NamedVariable>& b) {
  check(a.size() == b.size(), "[distance] {} parameters and {}", a.size(), b.size());
  WeightDistance distance;
  double squares = 0.0;
  double a_squares = 0.0;
  double b_squares = 0.0;
  double product = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    check(a[i].name == b[i].name && a[i].variable.shape() == b[i].variable.shape(), "[distance] {} {} and {} {}",
          a[i].name, a[i].variable.shape().str(), b[i].name, b[i].variable.shape().str());
    const std::vector<float> first = host_floats(a[i].variable.backend(), a[i].variable.value());
    const std::vector<float> second = host_floats(b[i].variable.backend(), b[i].variable.value());
    for (std::size_t k = 0; k < first.size(); ++k) {
      const double x = first[k];
      const double y = second[k];
      squares += (y - x) * (y - x);
      a_squares += x * x;
      b_squares += y * y;
      product += x * y;
    }
    distance.parameters += static_cast<std::int64_t>(first.size());
  }
  distance.l2 = std::sqrt(squares);
  if (a_squares > 0.0) distance.relative = std::sqrt(squares / a_squares);
  if (a_squares > 0.0 && b_squares > 0.0) distance.cosine = product / std::sqrt(a_squares * b_squares);
  return distance;
}

double Churn::mcnemar_mid_p() const {
  const std::int64_t n = only_first + only_second;
  if (n == 0) return 1.0;
  const std::int64_t fewer = std::min(only_first, only_second);
  return std::min(1.0, 2.0 * fair_coin_at_most(fewer, n) - fair_coin_exactly(fewer, n));
}

PassComparison compare_on_images(Backbone& a, Backbone& b, Backend& backend, Loader& loader) {
  const NoGradScope no_grad;
  const ForwardContext context;
  const int stages = a.stage_count();
  check(stages == b.stage_count(), "[compare] networks of {} and {} stages", stages, b.stage_count());
  std::vector<MinibatchCka> alignments(static_cast<std::size_t>(stages));
  PassComparison result;
  Churn churn;
  bool same_classes = true;
  std::int64_t whole = 0;
  loader.start_epoch(0);
  while (const std::optional<Batch> batch = loader.next()) {
    if (whole == 0) whole = batch->count;
    Variable x(batch->items);
    Variable y(batch->items);
    for (int i = 0; i < stages; ++i) {
      x = a.forward_stages(x, i, i + 1, context);
      y = b.forward_stages(y, i, i + 1, context);
      if (batch->count < std::max<std::int64_t>(whole, 4)) continue;
      alignments[static_cast<std::size_t>(i)].add(gram_matrix(backend, x.value(), batch->count),
                                                  gram_matrix(backend, y.value(), batch->count), batch->count);
    }
    const Tensor first = a.forward_head(x, context).value();
    const Tensor second = b.forward_head(y, context).value();
    same_classes = first.dim(1) == second.dim(1);
    if (!same_classes) continue;
    const auto of_a = answers(backend, first);
    const auto of_b = answers(backend, second);
    std::vector<std::int64_t> labels(static_cast<std::size_t>(batch->labels.numel()));
    backend.copy_to_host(batch->labels, labels.data());
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch->count); ++i) {
      count_answers(churn, of_a[i], of_b[i], labels[i]);
    }
  }
  for (int i = 0; i < stages; ++i) {
    result.stages.push_back({a.stages()[static_cast<std::size_t>(i)].name,
                             alignments[static_cast<std::size_t>(i)].value(),
                             weight_distance(a.stage_parameters(i, i + 1), b.stage_parameters(i, i + 1))});
  }
  if (same_classes) result.churn = churn;
  return result;
}

double barrier_height(std::span<const BarrierPoint> points) {
  double height = 0.0;
  for (const BarrierPoint& point : points) {
    height = std::max(height, point.loss - (1.0 - point.t) * points.front().loss - point.t * points.back().loss);
  }
  return height;
}

void estimate_statistics(Backbone& network, Backend& backend, Loader& loader, std::int64_t batches) {
  std::vector<Statistic> statistics;
  network.for_each_module([&](const std::string&, Module& module) {
    const auto* norm = dynamic_cast<const BatchNorm2d*>(&module);
    if (norm == nullptr) return;
    for (const Variable& variable : {norm->running_mean(), norm->running_var()}) {
      statistics.push_back({variable, norm->options().momentum,
                            std::vector<double>(static_cast<std::size_t>(variable.value().numel()))});
    }
  });
  if (statistics.empty()) return;
  const NoGradScope no_grad;
  const ForwardContext context{.training = true, .step = backend.zeros({1}, DType::i64)};
  std::int64_t done = 0;
  loader.start_epoch(0);
  while (done < batches) {
    const std::optional<Batch> batch = loader.next();
    if (!batch) break;
    for (Statistic& each : statistics) backend.fill(0.0, each.variable.value());
    network.forward(Variable(batch->items), context);
    for (Statistic& each : statistics) {  // 0 was weighed by 1 - momentum, so what is there is the batch's alone
      const std::vector<float> values = host_floats(backend, each.variable.value());
      for (std::size_t i = 0; i < values.size(); ++i) each.sum[i] += static_cast<double>(values[i]) / each.momentum;
    }
    ++done;
  }
  check(done > 0, "[statistics] no whole batch of training images");
  for (Statistic& each : statistics) {
    std::vector<float> means;
    means.reserve(each.sum.size());
    for (const double sum : each.sum) means.push_back(static_cast<float>(sum / static_cast<double>(done)));
    write_values(backend, each.variable, means);
  }
}

std::vector<BarrierPoint> loss_on_line(const Backbone& a, const Backbone& b, Backbone& middle, Backend& backend,
                                       Loader& test, Loader& train, const BarrierOptions& options) {
  check(options.steps >= 1, "[line] {} steps", options.steps);
  Line line(a, b, backend);
  std::vector<BarrierPoint> points;
  for (std::int64_t i = 0; i <= options.steps; ++i) {
    const double t = static_cast<double>(i) / static_cast<double>(options.steps);
    line.write(t, middle);
    const bool between = i > 0 && i < options.steps;
    if (between && options.estimate_statistics) {
      estimate_statistics(middle, backend, train, options.statistics_batches);
    }
    const Evaluation result = evaluate_network(middle, backend, test);
    points.push_back({t, result.loss, result.top1_accuracy()});
  }
  return points;
}

}  // namespace graft
