#include "tools/study_costs.h"

#include <map>
#include <numeric>
#include <utility>

#include "tools/flop_counter.h"
#include "tools/synthetic_step.h"
#include "transfer/half_data.h"
#include "transfer/run_network.h"

namespace graft {
namespace {

/// Backward costs two products a layer where forward costs one; the first trained layer needs no gradient of its input.
double training_flops(const ForwardFlops& image, int frozen) {
  const auto stages = static_cast<int>(image.stages.size());
  const double trained = image.between(frozen, stages) + image.head;
  const double first = frozen < stages ? image.stages[static_cast<std::size_t>(frozen)] : image.head;
  return 3.0 * trained - first;
}

/// Operations of a step that are too many to be tried out on a processor, where it would take seconds.
constexpr double kSlowStep = 3e11;

struct HalfSize {
  double train = 0.0;  ///< images
  double test = 0.0;
  double steps = 0.0;  ///< an epoch
};

/// Operations of one run. A cached prefix of published weights is computed once for all seeds.
double run_flops(const RunSpec& run, const Study& study, const ForwardFlops& image, const HalfSize& half, bool cached) {
  const int cut = freezes(run.treatment) ? run.cut : 0;
  const TrainingSettings training = training_of(study, run);
  const auto steps = total_steps(training, static_cast<std::int64_t>(half.steps));
  const double seen = static_cast<double>(steps * training.batch_size);
  const double sharers = cached && carries_published(run, study) ? static_cast<double>(study.seeds.size()) : 1.0;
  const double prefix = image.between(0, cut);
  const double frozen = prefix * (cached ? half.train / sharers : seen);
  if (run.treatment != Treatment::probe) {
    return seen * training_flops(image, cut) + frozen + half.test * image.all();
  }
  const double head = image.probe_head(cut, static_cast<double>(target_classes(run).size()));
  return 2.0 * seen * head + frozen + half.test * (prefix / sharers + head);
}

/// Of the weights that a run leaves.
double run_bytes(const RunSpec& run, const ForwardFlops& image) {
  if (run.treatment != Treatment::probe) return image.state_bytes;
  return std::accumulate(image.stage_bytes.begin(), image.stage_bytes.begin() + run.cut, 0.0);
}

}  // namespace

CostFunction study_costs(const PreparedStudy& prepared, Backend& backend, bool feature_cache, bool timed) {
  const Study& study = prepared.plan.study;
  const auto classes = static_cast<std::int64_t>(target_classes(prepared.plan.runs.front()).size());
  BackboneOptions network = backbone_options(*prepared.data.target.train, classes);
  network.cuts = study.cuts_at;
  const ForwardFlops image = count_forward_flops(find_backbone(study.model), network);
  const double step = static_cast<double>(study.training.batch_size) * training_flops(image, 0);
  double rate = 0.0;  // operations a second; 0: not measured
  if (timed && (step < kSlowStep || backend.can_capture())) {
    SyntheticStepOptions options{.model = study.model, .network = network, .training = study.training, .steps = 5};
    options.training.iterations = 0;  // as many as it takes to measure
    rate = 1e3 * step / median(time_steps(backend, options));
  }

  std::map<std::pair<std::string, std::string>, HalfSize> halves;
  for (const RunSpec& run : prepared.plan.runs) {
    if (halves.contains({run.split.name, run.target})) continue;
    const HalfData half = open_half(study, prepared.data, run);
    halves[{run.split.name, run.target}] = {static_cast<double>(half.train->size()),
                                            static_cast<double>(half.test->size()),
                                            static_cast<double>(steps_per_epoch(*half.train, study.training))};
  }
  const bool can_cache = feature_cache && study.feature_cache_mib > 0 && study.training.crop_padding == 0 &&
                         !study.training.flip && !study.training.random_crop;
  return [=](const RunSpec& run) {
    const bool cached = can_cache && run.bn_policy == BatchNormPolicy::eval;
    const double flops = run_flops(run, study, image, halves.at({run.split.name, run.target}), cached);
    return RunCost{.flops = flops, .seconds = rate > 0.0 ? flops / rate : 0.0, .bytes = run_bytes(run, image)};
  };
}

}  // namespace graft
