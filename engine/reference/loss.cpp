#include <algorithm>
#include <cmath>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

namespace {

constexpr std::int64_t kIgnored = -1;

void check_label(const char* operation, std::int64_t label, std::int64_t classes) {
  check(label == kIgnored || (label >= 0 && label < classes),
        "[{}] label {} is outside of [0, {}): use -1 for a row to ignore", operation, label, classes);
}

/// log(softmax(row)), by way of the maximum so that nothing overflows.
std::vector<double> log_softmax(const double* row, std::int64_t classes) {
  const double largest = *std::max_element(row, row + classes);
  double sum = 0.0;
  for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(row[c] - largest);
  std::vector<double> result(row, row + classes);
  for (double& value : result) value -= largest + std::log(sum);
  return result;
}

/// True iff `label` is among the k largest of the row; of equals the lower index counts as larger.
bool is_among_largest(const double* row, std::int64_t classes, std::int64_t label, std::int64_t k) {
  if (std::any_of(row, row + classes, [](double value) { return std::isnan(value); })) return false;
  std::int64_t larger = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    if (row[c] > row[label] || (row[c] == row[label] && c < label)) ++larger;
  }
  return larger < k;
}

}  // namespace

void ReferenceBackend::softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                                             const Tensor& loss, const Tensor& dlogits) {
  check_softmax_cross_entropy(*this, logits, labels, label_smoothing, loss, dlogits);
  const std::int64_t rows = logits.dim(0);
  const std::int64_t classes = logits.dim(1);
  const std::vector<double> values = load(logits);
  const std::int64_t* label = labels.data<std::int64_t>();
  const auto used = static_cast<double>(rows - std::count(label, label + rows, kIgnored));
  double total = 0.0;
  std::vector<double> gradients(values.size());
  for (std::int64_t n = 0; n < rows; ++n) {
    check_label("softmax_cross_entropy", label[n], classes);
    if (label[n] == kIgnored) continue;
    const std::vector<double> log_probability = log_softmax(values.data() + n * classes, classes);
    for (std::int64_t c = 0; c < classes; ++c) {
      const double uniform = label_smoothing / static_cast<double>(classes);
      const double target = (c == label[n] ? 1.0 - label_smoothing : 0.0) + uniform;
      // A target of 0 times a log-probability of -inf is nothing, not NaN.
      if (target != 0.0) total -= target * log_probability[c];
      gradients[n * classes + c] = (std::exp(log_probability[c]) - target) / used;
    }
  }
  store({used > 0.0 ? total / used : 0.0}, loss);
  store(gradients, dlogits);
}

void ReferenceBackend::sigmoid_cross_entropy(const Tensor& logits, const Tensor& targets, const Tensor& loss,
                                             const Tensor& dlogits) {
  check_sigmoid_cross_entropy(*this, logits, targets, loss, dlogits);
  const std::vector<double> values = load(logits);
  const std::vector<double> wanted = load(targets);
  const auto used =
      static_cast<double>(std::count_if(wanted.begin(), wanted.end(), [](double target) { return !(target < 0.0); }));
  double total = 0.0;
  std::vector<double> gradients(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double target = wanted[i];
    check(target <= 1.0, "[sigmoid_cross_entropy] target {} of entry {} is not at most 1: a negative one is ignored",
          target, i);
    if (target < 0.0) continue;
    const double x = values[i];
    const double e = std::exp(-std::abs(x));
    // max(x, 0) - x t is |x| times the target's distance from the side that x is on.
    const double weight = x > 0.0 ? 1.0 - target : target;
    if (weight != 0.0) total += weight * std::abs(x);
    total += std::log1p(e);
    const double probability = (x < 0.0 ? e : 1.0) / (1.0 + e);
    const double complement = (x < 0.0 ? 1.0 : e) / (1.0 + e);
    gradients[i] = ((1.0 - target) * probability - target * complement) / used;
  }
  store({used > 0.0 ? total / used : 0.0}, loss);
  store(gradients, dlogits);
}

void ReferenceBackend::count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) {
  check_count_correct(*this, logits, labels, k, count);
  const std::int64_t classes = logits.dim(1);
  const std::vector<double> values = load(logits);
  const std::int64_t* label = labels.data<std::int64_t>();
  std::int64_t correct = 0;
  for (std::int64_t n = 0; n < logits.dim(0); ++n) {
    check_label("count_correct", label[n], classes);
    if (label[n] != kIgnored && is_among_largest(values.data() + n * classes, classes, label[n], k)) ++correct;
  }
  *count.data<std::int64_t>() = correct;
}

}  // namespace graft
