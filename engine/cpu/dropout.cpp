#include <algorithm>
#include <array>

#include "engine/backend/contract.h"
#include "engine/base/parallel_for.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/dispatch.h"
#include "engine/cpu/simd.h"

// Dropout (Srivastava et al. 2014) and stochastic depth (Huang et al. 2016). Element or image i of step s is kept iff
// uniform_float(word(s, i)) >= p, so the mask is computed again in backward instead of being saved.

namespace graft {

namespace {

// A Philox block gives four words; eight blocks are computed at a time, one a lane.
constexpr std::int64_t kWords = 4;
constexpr std::int64_t kBatch = kWords * simd::kLanes;

/// Words [first, first + kBatch) of a step, `first` a multiple of 4: RandomStream::words for eight blocks side by side.
void philox_batch(const RandomStream& random, std::uint64_t step, std::uint64_t first, float* uniform) {
  std::array<std::array<std::uint32_t, simd::kLanes>, kWords> counter;
  for (std::size_t lane = 0; lane < simd::kLanes; ++lane) {
    const std::uint64_t block = first / kWords + lane;
    counter[0][lane] = static_cast<std::uint32_t>(block);
    counter[1][lane] = static_cast<std::uint32_t>(block >> 32);
    counter[2][lane] = static_cast<std::uint32_t>(step);
    counter[3][lane] = static_cast<std::uint32_t>(step >> 32);
  }
  const std::uint64_t key = random.key();
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    for (std::size_t lane = 0; lane < simd::kLanes; ++lane) {
      const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0][lane];
      const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2][lane];
      counter[0][lane] = static_cast<std::uint32_t>(product1 >> 32) ^ counter[1][lane] ^ k0;
      counter[2][lane] = static_cast<std::uint32_t>(product0 >> 32) ^ counter[3][lane] ^ k1;
      counter[1][lane] = static_cast<std::uint32_t>(product1);
      counter[3][lane] = static_cast<std::uint32_t>(product0);
    }
  }
  for (std::size_t lane = 0; lane < simd::kLanes; ++lane) {
    for (std::size_t word = 0; word < kWords; ++word)
      uniform[lane * kWords + word] = uniform_float(counter[word][lane]);
  }
}

template <class T>
void dropout_range(const T* x, T* y, const DropoutOptions& options, std::uint64_t step, std::int64_t begin,
                   std::int64_t end) {
  const float threshold = options.threshold();
  const float keep_scale = options.keep_scale();
  alignas(32) float uniform[kBatch];
  for (std::int64_t i = begin; i < end; i += kBatch) {
    philox_batch(options.random, step, static_cast<std::uint64_t>(i), uniform);
    simd::for_vectors(i, std::min(i + kBatch, end), [&](std::int64_t j, auto lanes) {
      const simd::f32x8 draw = simd::load(uniform + (j - i));
      simd::store(y + j, draw >= threshold ? simd::load(x + j, lanes) * keep_scale : simd::f32x8{}, lanes);
    });
  }
}

}  // namespace

void CpuBackend::dropout(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_dropout(*this, x, options, step, y);
  enter();
  const auto current = static_cast<std::uint64_t>(*step.data<std::int64_t>());
  with_float_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    static_assert(kElementGrain % kBatch == 0, "a thread's range begins with a whole Philox block");
    parallel_for(x.numel(), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
      dropout_range(x.data<T>(), y.data<T>(), options, current, begin, end);
    });
  });
}

void CpuBackend::drop_path(const Tensor& x, const DropoutOptions& options, const Tensor& step, const Tensor& y) {
  check_drop_path(*this, x, options, step, y);
  if (x.numel() == 0) return;
  enter();
  const auto current = static_cast<std::uint64_t>(*step.data<std::int64_t>());
  const std::int64_t size = x.numel() / x.dim(0);
  with_float_type(x.dtype(), [&](auto type) {
    const auto* from = x.data<decltype(type)>();
    auto* to = y.data<decltype(type)>();
    parallel_for(x.numel(), kElementGrain, [&](std::int64_t begin, std::int64_t end) {
      while (begin < end) {
        const std::int64_t image = begin / size;
        const std::int64_t last = std::min(end, (image + 1) * size);
        const float draw = uniform_float(options.random.word(current, static_cast<std::uint64_t>(image)));
        // What is dropped is not read: it becomes 0 even where it is NaN.
        const bool kept = draw >= options.threshold();
        simd::for_vectors(begin, last, [&](std::int64_t i, auto lanes) {
          simd::store(to + i, kept ? simd::load(from + i, lanes) * options.keep_scale() : simd::f32x8{}, lanes);
        });
        begin = last;
      }
    });
  });
}

}  // namespace graft
