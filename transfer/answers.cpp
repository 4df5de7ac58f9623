#include "transfer/answers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/autograd/variable.h"
#include "engine/base/error.h"
#include "transfer/trainer.h"

namespace graft {
namespace {

/// Logits of images one after the other, kept on the backend until they are looked at together.
class AnswerSheet {
 public:
  AnswerSheet(Backend& backend, std::span<const std::int64_t> labels, std::int64_t kept_bytes)
      : backend_(backend), labels_(labels), kept_bytes_(kept_bytes) {
    right_.reserve(labels.size());
  }

  /// The first `count` rows; what follows is padding.
  void add(const Tensor& logits, std::int64_t count) {
    if (!kept_.defined()) {
      const std::int64_t row_bytes = logits.dim(1) * static_cast<std::int64_t>(sizeof(float));
      const std::int64_t rows = std::min(kept_bytes_ / row_bytes, std::ssize(labels_));
      kept_ = backend_.empty({std::max(rows, logits.dim(0)), logits.dim(1)}, DType::f32);
    }
    if (rows_ + count > kept_.dim(0)) look();
    backend_.cast(logits.slice(0, count), kept_.slice(rows_, rows_ + count));
    rows_ += count;
  }

  std::vector<bool> finish() {
    look();
    check_labels(right_.size() == labels_.size());
    return std::move(right_);
  }

 private:
  void check_labels(bool enough) const {
    check(enough, "[answers] the loader gave {} images, {} have labels",
          static_cast<std::int64_t>(right_.size()) + rows_, labels_.size());
  }

  void look() {
    if (rows_ == 0) return;
    check_labels(right_.size() + static_cast<std::size_t>(rows_) <= labels_.size());
    const auto classes = static_cast<std::size_t>(kept_.dim(1));
    host_.resize(static_cast<std::size_t>(rows_) * classes);
    backend_.copy_to_host(kept_.slice(0, rows_), host_.data());
    for (std::size_t row = 0; row < static_cast<std::size_t>(rows_); ++row) {
      right_.push_back(is_largest(std::span(host_).subspan(row * classes, classes), labels_[right_.size()]));
    }
    rows_ = 0;
  }

  Backend& backend_;
  std::span<const std::int64_t> labels_;
  std::int64_t kept_bytes_;
  Tensor kept_;  ///< f32 [rows that fit, classes]; the dtype holds bf16 exactly, so the largest stays the largest
  std::int64_t rows_ = 0;
  std::vector<float> host_;
  std::vector<bool> right_;
};

}  // namespace

bool is_largest(std::span<const float> logits, std::int64_t label) {
  if (label < 0 || label >= std::ssize(logits)) return false;
  const auto at = static_cast<std::size_t>(label);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    // Written so that a NaN on either side fails.
    if (!(i < at ? logits[i] < logits[at] : logits[i] <= logits[at])) return false;
  }
  return true;
}

std::vector<bool> right_answers(Backbone& network, Backend& backend, Loader& loader,
                                std::span<const std::int64_t> labels, const AnswerOptions& options) {
  const NoGradScope no_grad;
  const ForwardContext context;
  AnswerSheet sheet(backend, labels, options.kept_bytes);
  loader.start_epoch(0);
  while (const std::optional<Batch> batch = loader.next()) {
    if (options.between) options.between();
    const Tensor items = run_prefix(network, batch->items, options.first_stage, options.frozen_stages, context);
    sheet.add(network.forward_from(Variable(items), options.frozen_stages, context).value(), batch->count);
  }
  return sheet.finish();
}

std::vector<std::array<std::int64_t, 2>> count_answers(const std::vector<bool>& right,
                                                       std::span<const std::int64_t> part_of, std::int64_t parts) {
  check(right.size() == part_of.size(), "[answers] {} answers, {} images", right.size(), part_of.size());
  std::vector<std::array<std::int64_t, 2>> counts(static_cast<std::size_t>(parts));
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (part_of[i] < 0) continue;
    auto& [correct, images] = counts.at(static_cast<std::size_t>(part_of[i]));
    correct += right[i] ? 1 : 0;
    ++images;
  }
  return counts;
}

}  // namespace graft
