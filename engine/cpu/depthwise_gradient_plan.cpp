#include "engine/cpu/depthwise_gradient_plan.h"

#include <omp.h>

#include <algorithm>
#include <array>

#include "engine/cpu/depthwise_kernels.h"
#include "engine/cpu/parallel_slots.h"

namespace graft {
namespace {

using depthwise::add_products;
using depthwise::GradientRun;

constexpr std::int64_t kMaxRows = 64;

/// One axis of the convolution: output o sees by tap k the position o * stride + k * dilation - padding.
struct Axis {
  std::int64_t inputs, outputs, taps, stride, dilation, padding;

  std::int64_t position(std::int64_t output, std::int64_t tap) const {
    return output * stride + tap * dilation - padding;
  }
  bool sees(std::int64_t output, std::int64_t tap) const {
    return position(output, tap) >= 0 && position(output, tap) < inputs;
  }
  bool sees_all(std::int64_t output) const { return sees(output, 0) && sees(output, taps - 1); }
};

/// Kernel rows that an output row sees: where their pixels lie, and their sums.
struct KernelRows {
  std::array<const float*, kMaxRows> pixels;
  std::array<float*, kMaxRows> sums;
  std::size_t count = 0;
};

/// Adds the products of kTogether kernel rows at a time, as many as there are registers for their sums.
template <int kTaps, std::size_t kTogether>
void add_kernel_rows(const GradientRun& run, const KernelRows& rows, std::int64_t stride) {
  std::size_t row = 0;
  for (; row + kTogether <= rows.count; row += kTogether) {
    std::array<const float*, kTogether> pixels;
    std::array<float*, kTogether> sums;
    std::copy_n(rows.pixels.begin() + static_cast<std::ptrdiff_t>(row), kTogether, pixels.begin());
    std::copy_n(rows.sums.begin() + static_cast<std::ptrdiff_t>(row), kTogether, sums.begin());
    add_products<static_cast<int>(kTogether), kTaps>(run, pixels, sums, stride);
  }
  for (; row < rows.count; ++row) add_products<1, kTaps>(run, {rows.pixels[row]}, {rows.sums[row]}, stride);
}

class DepthwiseGradientPlan final : public Plan {
 public:
  explicit DepthwiseGradientPlan(const ConvProblem& problem)
      : channels_(problem.in_channels()), images_(problem.batch()), slots_(omp_get_max_threads()) {
    const auto& [stride, dilation, padding] = problem.options.window;
    const Shape& x = problem.x;
    const Shape& y = problem.y;
    const Shape& w = problem.w;
    rows_ = {x[1], y[1], w[1], stride.height, dilation.height, padding.top};
    columns_ = {x[2], y[2], w[2], stride.width, dilation.width, padding.left};
    while (first_inside_ < columns_.outputs && !columns_.sees_all(first_inside_)) ++first_inside_;
    end_inside_ = first_inside_;
    while (end_inside_ < columns_.outputs && columns_.sees_all(end_inside_)) ++end_inside_;
  }

  void run(const PlanPointers& pointers, void* scratch) override {
    auto* sums = static_cast<float*>(scratch);
    const std::int64_t used = parallel_slots(slots_, images_ * rows_.outputs, 1,
                                             [&](std::int64_t slot, std::int64_t begin, std::int64_t end) {
                                               float* mine = sums + slot * slot_floats();
                                               std::fill_n(mine, slot_floats(), 0.0f);
                                               for (std::int64_t row = begin; row < end; ++row) {
                                                 add_row(pointers, row, mine);
                                               }
                                             });
    write_sums(sums, used, static_cast<float*>(pointers[3]), static_cast<float*>(pointers[2]));
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(slots_ * slot_floats()) * sizeof(float);
  }
  std::string implementation() const override { return "depthwise:avx2"; }

 private:
  std::int64_t taps() const { return rows_.taps * columns_.taps; }
  /// [taps, C], and [C] for the bias.
  std::int64_t slot_floats() const { return (taps() + 1) * channels_; }

  /// The products of row `row` of all images' dy.
  void add_row(const PlanPointers& pointers, std::int64_t row, float* sums) const {
    const float* image =
        static_cast<const float*>(pointers[0]) + row / rows_.outputs * rows_.inputs * columns_.inputs * channels_;
    const float* dy = static_cast<const float*>(pointers[1]) + row * columns_.outputs * channels_;
    KernelRows seen;
    for (std::int64_t tap = 0; tap < rows_.taps; ++tap) {
      const std::int64_t output = row % rows_.outputs;
      if (!rows_.sees(output, tap)) continue;
      seen.pixels[seen.count] = image + rows_.position(output, tap) * columns_.inputs * channels_;
      seen.sums[seen.count++] = sums + tap * columns_.taps * channels_;
    }
    for (std::int64_t j = 0; j < first_inside_; ++j) add_border_pixel(seen, dy, j);
    if (first_inside_ < end_inside_) add_inside(seen, dy);
    for (std::int64_t j = end_inside_; j < columns_.outputs; ++j) add_border_pixel(seen, dy, j);
    if (pointers[2] != nullptr) add_bias(dy, sums + taps() * channels_);
  }

  /// The outputs of a row that see all columns of the kernel.
  void add_inside(KernelRows rows, const float* dy) const {
    const GradientRun run{.dy = dy + first_inside_ * channels_,
                          .count = end_inside_ - first_inside_,
                          .channels = channels_,
                          .step = columns_.stride * channels_,
                          .dilation = columns_.dilation * channels_};
    for (std::size_t i = 0; i < rows.count; ++i) rows.pixels[i] += columns_.position(first_inside_, 0) * channels_;
    if (columns_.taps == 3) return add_kernel_rows<3, 3>(run, rows, channels_);
    if (columns_.taps == 5) return add_kernel_rows<5, 2>(run, rows, channels_);
    for (std::int64_t k = 0; k < columns_.taps; ++k) {
      add_kernel_rows<1, 1>(run, rows, channels_);
      for (std::size_t i = 0; i < rows.count; ++i) {
        rows.pixels[i] += run.dilation;
        rows.sums[i] += channels_;
      }
    }
  }

  void add_border_pixel(const KernelRows& rows, const float* dy, std::int64_t j) const {
    const GradientRun run{.dy = dy + j * channels_, .count = 1, .channels = channels_, .step = 0, .dilation = 0};
    for (std::int64_t tap = 0; tap < columns_.taps; ++tap) {
      if (!columns_.sees(j, tap)) continue;
      for (std::size_t i = 0; i < rows.count; ++i) {
        add_products<1, 1>(run, {rows.pixels[i] + columns_.position(j, tap) * channels_},
                           {rows.sums[i] + tap * channels_}, channels_);
      }
    }
  }

  void add_bias(const float* dy, float* sums) const {
    for (std::int64_t j = 0; j < columns_.outputs; ++j) {
      for (std::int64_t c = 0; c < channels_; ++c) sums[c] += dy[j * channels_ + c];
    }
  }

  void write_sums(const float* sums, std::int64_t used, float* dw, float* dbias) const {
    const auto total = [&](std::int64_t i) {
      float sum = 0.0f;
      for (std::int64_t slot = 0; slot < used; ++slot) sum += sums[slot * slot_floats() + i];
      return sum;
    };
    for (std::int64_t c = 0; c < channels_; ++c) {
      for (std::int64_t tap = 0; tap < taps(); ++tap) dw[c * taps() + tap] = total(tap * channels_ + c);
      if (dbias != nullptr) dbias[c] = total(taps() * channels_ + c);
    }
  }

  std::int64_t channels_;
  std::int64_t images_;
  std::int64_t slots_;  ///< threads
  Axis rows_{}, columns_{};
  std::int64_t first_inside_ = 0;  ///< outputs [first_inside_, end_inside_) of a row see all columns of the kernel
  std::int64_t end_inside_ = 0;
};

}  // namespace

bool depthwise_gradient_covers(const ConvProblem& problem) {
  return problem.kind == ConvKind::backward_weights && problem.dtype == DType::f32 &&
         problem.options.groups == problem.in_channels() && problem.in_channels() == problem.out_channels() &&
         problem.w[1] <= kMaxRows;
}

std::unique_ptr<Plan> make_depthwise_gradient_plan(const ConvProblem& problem) {
  return std::make_unique<DepthwiseGradientPlan>(problem);
}

}  // namespace graft
