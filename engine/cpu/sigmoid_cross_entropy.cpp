#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/backend/contract.h"
#include "engine/base/error.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/parallel_slots.h"
#include "engine/cpu/simd_math.h"

namespace graft {

namespace {

constexpr std::int64_t kGrain = kElementGrain / 8;

/// Entries that are not ignored. Throws if a target is above 1 or NaN.
std::int64_t count_used(const float* targets, std::int64_t count) {
  std::int64_t used = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const float target = targets[i];
    check(target <= 1.0f, "[sigmoid_cross_entropy] target {} of entry {} is above 1: use a negative one to ignore it",
          target, i);
    used += target >= 0.0f;
  }
  return used;
}

/// The sum of the losses of entries [begin, end), and dlogits where it is not null, which may be the logits: with the
/// weight w of |x|, 1 - t where x is positive and t elsewhere, the loss is w |x| + log(1 + exp(-|x|)), and neither that
/// nor the gradient (1 - t) s - t (1 - s), s = sigmoid(x), cancels.
template <class T>
double losses(const T* logits, const float* targets, std::int64_t begin, std::int64_t end, float share, T* dlogits) {
  double sum = 0.0;
  simd::for_vectors(begin, end, [&](std::int64_t i, auto lanes) {
    const simd::f32x8 x = simd::load(logits + i, lanes);
    const simd::f32x8 target = simd::load(targets + i, lanes);
    const simd::f32x8 rest = 1.0f - target;
    const simd::i32x8 used = target >= 0.0f;
    const simd::f32x8 magnitude = simd::absolute(x);
    const simd::f32x8 weight = x > 0.0f ? rest : target;
    const simd::f32x8 weighted = weight == 0.0f ? simd::f32x8{} : weight * magnitude;
    const simd::f32x8 loss = weighted + simd::logarithm_of_one_plus(simd::exponential(-magnitude));
    const simd::f32x8 counted = simd::keep(simd::select(used, loss, simd::f32x8{}), lanes);
    for (int lane = 0; lane < simd::kLanes; ++lane) sum += static_cast<double>(counted[lane]);
    if (dlogits != nullptr) {
      const auto [probability, complement] = simd::logistic(x);
      const simd::f32x8 gradient = (rest * probability - target * complement) * share;
      simd::store(dlogits + i, simd::select(used, gradient, simd::f32x8{}), lanes);
    }
  });
  return sum;
}

}  // namespace

void CpuBackend::sigmoid_cross_entropy(const Tensor& logits, const Tensor& targets, const Tensor& loss,
                                       const Tensor& dlogits) {
  check_sigmoid_cross_entropy(*this, logits, targets, loss, dlogits);
  enter();
  const std::int64_t count = logits.numel();
  const float* target = targets.data<float>();
  const auto used = static_cast<double>(count_used(target, count));
  const auto share = static_cast<float>(used > 0.0 ? 1.0 / used : 0.0);
  std::fill(partial_sums_.begin(), partial_sums_.end(), 0.0);
  with_float_type(logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x = logits.data<T>();
    T* dx = dlogits.data<T>();
    parallel_slots(threads_, count, kGrain, [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
      partial_sums_[static_cast<std::size_t>(slot)] = losses(x, target, begin, end, share, dx);
    });
  });
  double total = 0.0;
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(threads_); ++slot) total += partial_sums_[slot];
  *loss.data<float>() = static_cast<float>(used > 0.0 ? total / used : 0.0);
}

}  // namespace graft
