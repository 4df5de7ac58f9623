#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "datasets/loader.h"
#include "models/backbone.h"
#include "transfer/auroc.h"

namespace graft {

/// How a network does on a data set.
struct Evaluation {
  std::int64_t images = 0;
  std::int64_t top1 = 0;  ///< images whose class has the largest logit; 0 for multi-label sets
  std::int64_t top5 = 0;  ///< images whose class is among the five largest
  /// Mean cross-entropy without smoothing, in nats: softmax's over images, or binary over the targets that are known.
  double loss = 0.0;
  LabelAurocs auroc{};  ///< a class each, where asked for

  double top1_accuracy() const { return share(top1); }
  double top5_accuracy() const { return share(top5); }

 private:
  double share(std::int64_t count) const {
    return images == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(images);
  }
};

struct EvaluationOptions {
  bool auroc = false;               ///< of every class; the loader must give targets
  std::function<void()> between{};  ///< called before every batch; may throw
};

/// Runs `network` in evaluation mode over one pass of `loader` (epoch 0), whose items are images; rows of label -1
/// count in no accuracy. The loss is binary cross-entropy where the loader gives targets. Nothing is read back before
/// the end.
Evaluation evaluate_network(Backbone& network, Backend& backend, Loader& loader, const EvaluationOptions& options = {});

}  // namespace graft
