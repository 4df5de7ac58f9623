#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace graft {

/// The unbiased estimator HSIC_1 of the Hilbert-Schmidt independence criterion (Song et al. 2012, "Feature selection
/// via dependence maximization", equation 5) from two Gram matrices [n, n] of the same n >= 4 items, row-major and
/// symmetric. Diagonals are not looked at. Throws Error for fewer items or sizes that do not fit.
double unbiased_hsic(std::span<const double> k, std::span<const double> l, std::int64_t n);

/// Centred kernel alignment over minibatches (Nguyen et al. 2021, "Do wide and deep networks learn the same things?",
/// equation 3): the mean over batches of HSIC_1 of both, over the square root of the means of each with itself. Being
/// made of unbiased terms it does not depend on the batch's size, and by chance it may lie a little outside [0, 1].
class MinibatchCka {
 public:
  /// Adds a batch by its Gram matrices, as unbiased_hsic takes them.
  void add(std::span<const double> k, std::span<const double> l, std::int64_t n);
  /// Nothing before a batch, or where the features of one side do not vary.
  std::optional<double> value() const;
  std::int64_t batches() const { return batches_; }

 private:
  std::int64_t batches_ = 0;
  double both_ = 0.0;
  double first_ = 0.0;
  double second_ = 0.0;
};

}  // namespace graft
