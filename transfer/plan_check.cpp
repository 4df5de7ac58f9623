#include "transfer/plan_check.h"

#include <algorithm>

#include "engine/base/error.h"
#include "engine/base/nearest_name.h"

namespace graft {
namespace {

std::vector<std::int64_t> images_per_class(const Dataset& data) {
  std::vector<std::int64_t> counts(data.class_names().size(), 0);
  for (std::int64_t i = 0; i < data.size(); ++i) ++counts[static_cast<std::size_t>(data.label(i))];
  return counts;
}

/// Images of a half that a run reads; throws if a class has fewer than `per_class` (0: all, at least one).
std::int64_t images_of_half(const std::vector<std::int64_t>& half, const std::vector<std::int64_t>& counts,
                            std::int64_t per_class, const std::string& key, const Study& study, const Dataset& data) {
  std::int64_t images = 0;
  for (const std::int64_t index : half) {
    const std::int64_t count = counts[static_cast<std::size_t>(index)];
    if (count < std::max<std::int64_t>(per_class, 1)) {
      fail(ErrorKind::data, "samples.{} is {}, class '{}' of {} has {} images: ask for no more", key,
           per_class == 0 ? "all" : std::to_string(per_class), data.class_names()[static_cast<std::size_t>(index)],
           study.dataset, count);
    }
    images += per_class == 0 ? count : per_class;
  }
  return images;
}

/// Half `name` of every split, which `half` picks.
void check_half(const Study& study, const DatasetPair& data, const std::vector<Split>& splits,
                std::vector<std::int64_t> Split::*half, const std::string& name) {
  const auto train = images_per_class(*data.train);
  const auto test = images_per_class(*data.test);
  const bool own_count = name == "A" && study.source_train_per_class.has_value();
  for (const Split& split : splits) {
    images_of_half(split.*half, test, study.test_per_class, "test_per_class", study, *data.test);
    const std::int64_t images =
        images_of_half(split.*half, train, train_per_class(study, name),
                       own_count ? "source_train_per_class" : "train_per_class", study, *data.train);
    if (images < study.training.batch_size) {  // a last partial batch is dropped: no step would be left
      fail(ErrorKind::data, "training.batch_size is {}, a half of split {} has {} training images: lower it",
           study.training.batch_size, split.name, images);
    }
  }
}

}  // namespace

std::vector<std::int64_t> class_indices(const std::vector<std::string>& names,
                                        const std::vector<std::string>& class_names, const std::string& key,
                                        const std::string& dataset) {
  std::vector<std::int64_t> indices;
  for (const std::string& name : names) {
    const auto found = std::find(class_names.begin(), class_names.end(), name);
    if (found == class_names.end()) {
      fail(ErrorKind::data, "{} names class '{}', which {} lacks: did you mean '{}'?", key, name, dataset,
           nearest_name(name, class_names));
    }
    indices.push_back(found - class_names.begin());
  }
  return indices;
}

void check_cuts(const Study& study, int stage_count) {
  for (const int cut : study.cuts) {
    if (cut > stage_count) {
      fail(ErrorKind::data, "cuts names {}, {} has {} {}: cut at 1 to {}", cut, study.model, stage_count,
           name_of(study.cuts_at), stage_count);
    }
  }
}

void check_samples(const Study& study, const StudyData& data, const std::vector<Split>& splits) {
  if (study.source_checkpoint.empty()) check_half(study, data.source, splits, &Split::source, "A");
  check_half(study, data.target, splits, &Split::target, "B");
}

}  // namespace graft
