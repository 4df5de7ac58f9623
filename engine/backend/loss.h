#pragma once

#include "engine/tensor/tensor.h"

namespace graft {

/// Contracts of losses and of counting right answers. logits [N, C] are f32 or bf16 (f64 on the reference); labels are
/// i64 [N] in [0, C), or -1 for a row that is to be ignored.
class LossKernels {
 public:
  virtual ~LossKernels() = default;

  /// Softmax cross-entropy with label smoothing s (Szegedy et al. 2016): the target of row n is
  /// (1 - s) onehot(label) + s / C. loss [1], f32 (f64): the mean over rows that are not ignored, 0 if none is.
  /// dlogits, where defined, has the dtype of logits and is d loss / d logits, 0 in ignored rows; it may alias logits.
  virtual void softmax_cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                                     const Tensor& loss, const Tensor& dlogits) = 0;

  /// Binary cross-entropy of sigmoid(logits), for several labels an image: an entry x with target t in [0, 1] loses
  /// max(x, 0) - x t + log(1 + exp(-|x|)), and a term of weight 0 is nothing even where x is infinite. targets [N, C]
  /// are f32 (f64 with f64); a negative one stands for an entry that is to be ignored. loss [1], f32 (f64): the mean
  /// over the entries that are not, 0 if none is. dlogits, where defined, has the dtype of logits and is
  /// d loss / d logits, 0 where ignored; it may alias logits.
  virtual void sigmoid_cross_entropy(const Tensor& logits, const Tensor& targets, const Tensor& loss,
                                     const Tensor& dlogits) = 0;

  /// count [1] i64: rows whose label is among the k largest logits; of equal logits the lower index counts as larger.
  /// A row with a NaN is wrong; ignored rows do not count. Overwritten.
  virtual void count_correct(const Tensor& logits, const Tensor& labels, std::int64_t k, const Tensor& count) = 0;
};

}  // namespace graft
