#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"

namespace graft {

namespace {

constexpr std::int64_t kIgnored = -1;

/// Rows that are not ignored. Throws if a label names no class.
std::int64_t count_used(const char* operation, const std::int64_t* labels, std::int64_t rows, std::int64_t classes) {
  std::int64_t used = 0;
  for (std::int64_t n = 0; n < rows; ++n) {
    check(labels[n] == kIgnored || (labels[n] >= 0 && labels[n] < classes),
          "[{}] label {} is outside of [0, {}): use -1 for a row to ignore", operation, labels[n], classes);
    used += labels[n] != kIgnored;
  }
  return used;
}

/// Rows that a thread takes at least; an exponential is some ten simple operations.
std::int64_t loss_row_grain(std::int64_t classes) {
  return std::max<std::int64_t>(1, kElementGrain / 8 / std::max<std::int64_t>(1, classes));
}

struct RowLoss {
  std::int64_t classes;
  double smoothing;
  float share;  ///< of one row in the mean
};

/// The loss of one row; the row of dlogits where it is not null, which may be the row of logits.
template <class T>
double row_loss(const RowLoss& options, const T* logits, std::int64_t label, T* dlogits) {
  const std::int64_t classes = options.classes;
  float largest = static_cast<float>(logits[0]);
  for (std::int64_t c = 1; c < classes; ++c) largest = std::max(largest, static_cast<float>(logits[c]));
  double exponentials = 0.0;
  double total = 0.0;  // of logits less the largest, for the smoothed part of the target
  for (std::int64_t c = 0; c < classes; ++c) {
    const float shifted = static_cast<float>(logits[c]) - largest;
    exponentials += static_cast<double>(std::exp(shifted));
    total += static_cast<double>(shifted);
  }
  const double log_sum = std::log(exponentials);
  const double uniform = options.smoothing / static_cast<double>(classes);
  const double target = 1.0 - options.smoothing;
  double loss = log_sum;
  // A target of 0 times a log-probability of -inf is nothing, not NaN.
  if (target != 0.0) loss -= target * static_cast<double>(static_cast<float>(logits[label]) - largest);
  if (uniform != 0.0) loss -= uniform * total;
  if (dlogits != nullptr) {
    const auto inverse = static_cast<float>(1.0 / exponentials);
    for (std::int64_t c = 0; c < classes; ++c) {
      const float probability = std::exp(static_cast<float>(logits[c]) - largest) * inverse;
      const double wanted = (c == label ? target : 0.0) + uniform;
      dlogits[c] = T((probability - static_cast<float>(wanted)) * options.share);
    }
  }
  return loss;
}

/// True iff `label` is among the k largest of the row; of equals the lower index counts as larger.
template <class T>
bool is_among_largest(const T* row, std::int64_t classes, std::int64_t label, std::int64_t k) {
  const auto value = static_cast<float>(row[label]);
  std::int64_t larger = 0;
  bool has_nan = false;
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto other = static_cast<float>(row[c]);
    larger += other > value || (other == value && c < label);
    has_nan |= other != other;
  }
  return larger < k && !has_nan;
}

}  // namespace

void CpuBackend::softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                                       const Tensor& loss, const Tensor& dlogits) {
  check_softmax_cross_entropy(*this, logits, labels, label_smoothing, loss, dlogits);
  enter();
  const std::int64_t rows = logits.dim(0);
  const std::int64_t classes = logits.dim(1);
  const std::int64_t* label = labels.data<std::int64_t>();
  const auto used = static_cast<double>(count_used("softmax_cross_entropy", label, rows, classes));
  const RowLoss options{classes, label_smoothing, static_cast<float>(used > 0.0 ? 1.0 / used : 0.0)};
  std::fill(partial_sums_.begin(), partial_sums_.end(), 0.0);
  with_float_type(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = logits.data<T>();
    T* dx = dlogits.data<T>();
    parallel_slots(threads_, rows, loss_row_grain(classes),
                   [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
                     double sum = 0.0;
                     for (std::int64_t n = begin; n < end; ++n) {
                       T* gradient = dx == nullptr ? nullptr : dx + n * classes;
                       if (label[n] != kIgnored) {
                         sum += row_loss(options, x + n * classes, label[n], gradient);
                       } else if (gradient != nullptr) {
                         std::fill_n(gradient, classes, T(0.0f));
                       }
                     }
                     partial_sums_[static_cast<std::size_t>(slot)] = sum;
                   });
  });
  double total = 0.0;
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(threads_); ++slot) total += partial_sums_[slot];
  *loss.data<float>() = static_cast<float>(used > 0.0 ? total / used : 0.0);
}

void CpuBackend::count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) {
  check_count_correct(*this, logits, labels, k, count);
  enter();
  const std::int64_t rows = logits.dim(0);
  const std::int64_t classes = logits.dim(1);
  const std::int64_t* label = labels.data<std::int64_t>();
  count_used("count_correct", label, rows, classes);
  // Counts are small integers: exact in f64.
  std::fill(partial_sums_.begin(), partial_sums_.end(), 0.0);
  with_float_type(logits.dtype(), [&](auto type) {
    const auto* x = logits.data<decltype(type)>();
    parallel_slots(threads_, rows, loss_row_grain(classes),
                   [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
                     std::int64_t correct = 0;
                     for (std::int64_t n = begin; n < end; ++n) {
                       correct += label[n] != kIgnored && is_among_largest(x + n * classes, classes, label[n], k);
                     }
                     partial_sums_[static_cast<std::size_t>(slot)] = static_cast<double>(correct);
                   });
  });
  double total = 0.0;
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(threads_); ++slot) total += partial_sums_[slot];
  *count.data<std::int64_t>() = static_cast<std::int64_t>(total);
}

}  // namespace graft
