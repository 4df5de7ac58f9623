#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

/// How far the parameters (weights and biases, no running statistics) of one network lie from another's.
struct WeightDistance {
  std::int64_t parameters = 0;
  double l2 = 0.0;                 ///< norm of b - a
  std::optional<double> relative;  ///< to the norm of a; nothing where that is 0
  std::optional<double> cosine;    ///< of the angle between a and b; nothing where one is 0
};
/// Between parameters of the same names and shapes, in f64. Throws Error where they differ.
WeightDistance weight_distance(const std::vector<NamedVariable>& a, const std::vector<NamedVariable>& b);

/// What a stage of two networks has in common.
struct StageComparison {
  std::string name;
  std::optional<double> cka;  ///< linear, of the flattened outputs, unbiased over minibatches
  WeightDistance weights;
};

/// Answers of two networks to the same images.
struct Churn {
  std::int64_t images = 0;
  std::int64_t both_right = 0;
  std::int64_t only_first = 0;
  std::int64_t only_second = 0;
  std::int64_t both_wrong_alike = 0;
  std::int64_t both_wrong_apart = 0;

  std::int64_t changed() const { return only_first + only_second + both_wrong_apart; }
  /// Two-sided mid-p value of McNemar's test that both are right equally often (Fagerland et al. 2013).
  double mcnemar_mid_p() const;
};

/// Stages and answers of two networks of one architecture in one pass of `loader` (epoch 0), whose items are images.
/// Batches of fewer images than the first give answers but no CKA; it is over batches of at least 4.
struct PassComparison {
  std::vector<StageComparison> stages;
  std::optional<Churn> churn;  ///< nothing where the heads tell different numbers of classes apart
};
PassComparison compare_on_images(Backbone& a, Backbone& b, Backend& backend, Loader& loader);

/// Loss and accuracy on the straight line between two networks: parameters (1 - t) a + t b.
struct BarrierPoint {
  double t = 0.0;
  double loss = 0.0;
  double accuracy = 0.0;
};
/// The greatest excess of a point's loss over the line between the losses of both ends (Entezari et al. 2022); 0 if
/// none lies above it.
double barrier_height(std::span<const BarrierPoint> points);

struct BarrierOptions {
  std::int64_t steps = 10;  ///< points between and at the ends: steps + 1
  /// Between the ends running statistics are computed anew, as means over `statistics_batches` batches of the training
  /// loader, since interpolated ones are those of no network (Jordan et al. 2023); else they are interpolated.
  bool estimate_statistics = true;
  std::int64_t statistics_batches = 32;
};
/// `middle` is a third network of the same architecture; its values are overwritten. The ends keep the running
/// statistics that they have.
std::vector<BarrierPoint> loss_on_line(const Backbone& a, const Backbone& b, Backbone& middle, Backend& backend,
                                       Loader& test, Loader& train, const BarrierOptions& options);

/// Computes the running statistics of every batch norm anew: the mean over `batches` batches of `loader` of each
/// batch's mean and unbiased variance.
void estimate_statistics(Backbone& network, Backend& backend, Loader& loader, std::int64_t batches);

}  // namespace graft
