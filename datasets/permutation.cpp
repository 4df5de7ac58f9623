#include "datasets/permutation.h"

#include <cstddef>
#include <numeric>
#include <utility>

namespace graft {

std::vector<std::int64_t> permutation(std::int64_t count, const RandomStream& random, std::uint64_t step) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t i = order.size(); i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(random.below(step, i - 1, i))]);
  }
  return order;
}

}  // namespace graft
