#include "tools/study_costs.h"

#include <map>
#include <utility>

#include "tools/flop_counter.h"
#include "tools/synthetic_step.h"
#include "transfer/executor.h"

namespace graft {
namespace {

/// Backward costs two products a layer where forward costs one; the first trained layer needs no gradient of its input.
double training_flops(const ForwardFlops& image, int frozen) {
  const auto stages = static_cast<int>(image.stages.size());
  const double trained = image.between(frozen, stages) + image.head;
  const double first = frozen < stages ? image.stages[static_cast<std::size_t>(frozen)] : image.head;
  return 3.0 * trained - first;
}

struct HalfSize {
  double train = 0.0;  ///< images
  double test = 0.0;
  double steps = 0.0;  ///< an epoch
};

/// Operations of one run.
double run_flops(const RunSpec& run, const Study& study, const ForwardFlops& image, const HalfSize& half, bool cached) {
  const int frozen = frozen_stages(run);
  const TrainingSettings training = training_of(study, run);
  const double seen = half.steps * static_cast<double>(training.batch_size * training.epochs);
  const double prefix = image.between(0, frozen) * (cached ? half.train : seen);
  return seen * training_flops(image, frozen) + prefix + half.test * image.all();
}

}  // namespace

CostFunction study_costs(const PreparedStudy& prepared, Backend& backend, bool feature_cache) {
  const Study& study = prepared.plan.study;
  const auto classes = static_cast<std::int64_t>(target_classes(prepared.plan.runs.front()).size());
  const BackboneOptions network = backbone_options(*prepared.data.target.train, classes);
  const ForwardFlops image = count_forward_flops(find_backbone(study.model), network);
  const double milliseconds =
      median(time_steps(backend, {.model = study.model, .network = network, .training = study.training, .steps = 5}));
  const double rate =
      1e3 * static_cast<double>(study.training.batch_size) * training_flops(image, 0) / milliseconds;  // a second

  std::map<std::pair<std::string, std::string>, HalfSize> halves;
  for (const RunSpec& run : prepared.plan.runs) {
    if (halves.contains({run.split.name, run.target})) continue;
    const HalfData half = open_half(study, prepared.data, run);
    halves[{run.split.name, run.target}] = {static_cast<double>(half.train->size()),
                                            static_cast<double>(half.test->size()),
                                            static_cast<double>(steps_per_epoch(*half.train, study.training))};
  }
  const bool can_cache =
      feature_cache && study.feature_cache_mib > 0 && study.training.crop_padding == 0 && !study.training.flip;
  return [=](const RunSpec& run) {
    const bool cached = can_cache && run.bn_policy == BatchNormPolicy::eval;
    const double flops = run_flops(run, study, image, halves.at({run.split.name, run.target}), cached);
    return RunCost{.flops = flops, .seconds = flops / rate};
  };
}

}  // namespace graft
