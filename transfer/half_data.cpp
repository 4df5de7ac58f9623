#include "transfer/half_data.h"

#include "engine/base/error.h"

namespace graft {

HalfData open_half(const Study& study, const StudyData& data, const RunSpec& run) {
  const std::vector<std::int64_t>& classes = target_classes(run);
  const std::uint64_t seed = image_seed(study, run.split);
  const DatasetPair& whole = data.of(run.target);
  const auto items = choose_items(*whole.train, classes, train_per_class(study, run.target), seed);
  HalfData half{.train = make_subset(whole.train, items, classes), .test = nullptr};
  half.test_items = choose_items(*whole.test, classes, study.test_per_class, seed);
  half.test = make_subset(whole.test, half.test_items, classes);
  return half;
}

std::int64_t steps_per_epoch(const Dataset& train, const TrainingSettings& settings) {
  const std::int64_t steps = train.size() / settings.batch_size;
  if (steps > 0) return steps;
  fail(ErrorKind::data, "training.batch_size {} is more than the {} training images of a half: lower it",
       settings.batch_size, train.size());
}

}  // namespace graft
