// Which images a search reads: counted where they are read, whatever plans and parts say of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "tests/transfer/search_fixture.h"
#include "transfer/half_data.h"
#include "transfer/search_plan.h"

namespace graft::testing {
namespace {

using ItemSet = std::set<std::int64_t>;

/// A data set that remembers which of its items were read.
class WatchedDataset final : public Dataset {
 public:
  explicit WatchedDataset(DatasetPtr inner) : inner_(std::move(inner)) {}
  std::int64_t size() const override { return inner_->size(); }
  Shape item_shape() const override { return inner_->item_shape(); }
  DType item_dtype() const override { return inner_->item_dtype(); }
  std::int64_t label(std::int64_t index) const override { return inner_->label(index); }
  void read(std::int64_t index, std::span<std::byte> out) const override {
    const std::scoped_lock lock(mutex_);
    items_.insert(index);
    inner_->read(index, out);
  }
  const std::vector<std::string>& class_names() const override { return inner_->class_names(); }
  std::string content_hash() const override { return inner_->content_hash(); }

  /// What was read since the last time.
  ItemSet take() const {
    const std::scoped_lock lock(mutex_);
    return std::exchange(items_, {});
  }

 private:
  DatasetPtr inner_;
  mutable std::mutex mutex_;
  mutable ItemSet items_;
};

struct Watched {
  PreparedStudy prepared;
  std::shared_ptr<const WatchedDataset> train;
  std::shared_ptr<const WatchedDataset> test;
};

Watched watch(const SearchedStudy& study) {
  Watched watched{.prepared = prepared_study(study), .train = {}, .test = {}};
  DatasetPair both = watched.prepared.data.target;
  both.train = watched.train = std::make_shared<WatchedDataset>(both.train);
  both.test = watched.test = std::make_shared<WatchedDataset>(both.test);
  watched.prepared.data = StudyData(both);
  return watched;
}

/// Reads all that the runs of a phase train and are tested on.
void read_all(const SearchPhase& phase) {
  for (const RunSpec& run : phase.runs) {
    const HalfData half = open_half(phase.study, phase.data, run);
    for (const DatasetPtr& part : {half.train, half.test}) {
      std::vector<std::byte> item(part->item_bytes());
      for (std::int64_t i = 0; i < part->size(); ++i) part->read(i, item);
    }
  }
}

ItemSet common(const ItemSet& a, const std::vector<std::int64_t>& b) {
  ItemSet both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(both, both.end()));
  return both;
}

TEST(SearchImages, RungsReadNothingThatIsHeldOutAndNothingOfTheTestSet) {
  const Watched watched = watch({});
  const SearchPlans plans(watched.prepared, 1, "", {});
  read_all(plans.rung(plans.arms(), 1));
  const ItemSet read = watched.train->take();
  EXPECT_EQ(read.size(), plans.parts().training.size() + plans.parts().validation.size());
  EXPECT_TRUE(common(read, plans.parts().held_out).empty());
  EXPECT_TRUE(watched.test->take().empty());
  read_all(plans.decision(plans.arms()));
  EXPECT_EQ(watched.train->take().size(), 60u) << "all the target's training images";
  EXPECT_TRUE(watched.test->take().empty());
}

TEST(SearchImages, NetworksOfTheSourceReadNoTargetImageThatRanksOrDecides) {
  const Watched watched = watch({.split = "{source: [c0, c1, c3], target: [c3, c4, c5], overlap: [c3]}"});
  const SearchPlans plans(watched.prepared, 1, "", {});
  read_all(plans.source({plans.seed()}));
  const ItemSet read = watched.train->take();
  EXPECT_TRUE(common(read, plans.parts().held_out).empty());
  EXPECT_TRUE(common(read, plans.parts().validation).empty());
  EXPECT_FALSE(common(read, plans.parts().training).empty()) << "the class in both halves";
}

TEST(SearchImages, AWholeSearchReadsTheTestImagesOfTheSourceAlone) {
  const TemporaryFolder folder;
  const SearchedStudy study;
  const Watched watched = watch(study);
  search_policies(search_options(study, folder.path()), watched.prepared);
  std::set<std::int64_t> labels;
  for (const std::int64_t item : watched.test->take()) labels.insert(watched.test->label(item));
  EXPECT_EQ(labels, (std::set<std::int64_t>{0, 1, 2}));
}

}  // namespace
}  // namespace graft::testing
