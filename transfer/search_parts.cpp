#include "transfer/search_parts.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "datasets/permutation.h"
#include "engine/base/error.h"
#include "engine/base/philox.h"

namespace graft {
namespace {

using Items = std::vector<std::int64_t>;

Items joined(const Items& a, const Items& b) {
  Items both;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

/// Some items of a data set whose classes keep their numbers and names.
DatasetPtr some_of(const DatasetPtr& whole, const Items& items) {
  Items classes(whole->class_names().size());
  std::iota(classes.begin(), classes.end(), std::int64_t{0});
  return make_subset(whole, items, std::move(classes));
}

/// Images of one class in the order of their permutation, divided.
void divide_class(const Items& images, const std::string& name, std::uint64_t seed, const SearchShares& shares,
                  SearchParts& parts) {
  const auto count = std::ssize(images);
  const auto part = [&](double share) { return std::llround(share * static_cast<double>(count)); };
  const std::int64_t held_out = part(shares.held_out);
  const std::int64_t validation = part(shares.validation);
  const std::int64_t training = count - held_out - validation;
  if (held_out < 1 || validation < 1 || training < 1) {
    fail(ErrorKind::data,
         "class '{}' has {} training images, too few for three parts: {} to train on, {} to rank on and {} held out; "
         "give samples.train_per_class more, or change --validation and --held-out",
         name, count, training, validation, held_out);
  }
  const Items order = permutation(count, RandomStream{seed, stream_of("search:" + name)}, 0);
  for (std::int64_t k = 0; k < count; ++k) {
    Items& into = k < held_out ? parts.held_out : k < held_out + validation ? parts.validation : parts.training;
    into.push_back(images[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])]);
  }
}

/// The source's data without target images that its networks must not have seen.
DatasetPair source_of(const StudyData& whole, const SearchParts& parts) {
  DatasetPair source = whole.source;
  const DatasetPtr& train = whole.source.train;
  if (train != whole.target.train && train->content_hash() != whole.target.train->content_hash()) return source;
  const Items hidden = joined(parts.validation, parts.held_out);
  Items seen(static_cast<std::size_t>(train->size()));
  std::iota(seen.begin(), seen.end(), std::int64_t{0});
  Items left;
  std::set_difference(seen.begin(), seen.end(), hidden.begin(), hidden.end(), std::back_inserter(left));
  source.train = some_of(train, left);
  return source;
}

StudyData with_target(const StudyData& whole, const SearchParts& parts, const Items& train, const Items& test) {
  StudyData data;
  data.source = source_of(whole, parts);
  data.target = whole.target;
  data.target.train = some_of(whole.target.train, train);
  data.target.test = some_of(whole.target.train, test);
  return data;
}

}  // namespace

SearchParts divide_target(const Dataset& train, const Items& classes, std::int64_t per_class, std::uint64_t seed,
                          const SearchShares& shares) {
  std::vector<Items> by_class(train.class_names().size());
  for (const std::int64_t item : choose_items(train, classes, per_class, seed)) {
    by_class[static_cast<std::size_t>(train.label(item))].push_back(item);
  }
  SearchParts parts;
  for (const std::int64_t c : classes) {
    const auto at = static_cast<std::size_t>(c);
    divide_class(by_class[at], train.class_names()[at], seed, shares, parts);
  }
  for (Items* items : {&parts.training, &parts.validation, &parts.held_out}) std::sort(items->begin(), items->end());
  return parts;
}

StudyData ranking_data(const StudyData& whole, const SearchParts& parts) {
  return with_target(whole, parts, parts.training, parts.validation);
}

StudyData decision_data(const StudyData& whole, const SearchParts& parts) {
  return with_target(whole, parts, joined(parts.training, parts.validation), parts.held_out);
}

}  // namespace graft
