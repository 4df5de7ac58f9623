#pragma once

#include <cstdint>
#include <functional>

#include "datasets/loader.h"
#include "models/backbone.h"

namespace graft {

/// How a network does on a data set.
struct Evaluation {
  std::int64_t images = 0;
  std::int64_t top1 = 0;  ///< images whose class has the largest logit
  std::int64_t top5 = 0;  ///< images whose class is among the five largest
  double loss = 0.0;      ///< mean cross-entropy without smoothing, in nats

  double top1_accuracy() const { return share(top1); }
  double top5_accuracy() const { return share(top5); }

 private:
  double share(std::int64_t count) const {
    return images == 0 ? 0.0 : static_cast<double>(count) / static_cast<double>(images);
  }
};

/// Runs `network` in evaluation mode over one pass of `loader` (epoch 0), whose items are images; rows of label -1
/// count nowhere. Nothing is read back before the end. `between` is called before every batch and may throw.
Evaluation evaluate_network(Backbone& network, Backend& backend, Loader& loader,
                            const std::function<void()>& between = {});

}  // namespace graft
