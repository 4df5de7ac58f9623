#include "transfer/successive_halving.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "engine/base/error.h"

namespace graft {
namespace {

void check_eta(int eta) { check(eta >= 2, "[halving] eta is {}, at least 2 is wanted", eta); }

}  // namespace

std::vector<std::size_t> ranking(std::span<const RungScore> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) {
    const RungScore& s = scores[i];
    return std::tuple<bool, bool, std::int64_t, double, const std::string&>(s.failed, !s.trained, -s.correct, s.cost,
                                                                            s.name);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

std::size_t kept_of(std::size_t count, int eta) {
  check_eta(eta);
  const auto divisor = static_cast<std::size_t>(eta);
  return (count + divisor - 1) / divisor;
}

std::vector<std::size_t> survivors(std::span<const RungScore> scores, int eta) {
  std::vector<std::size_t> order = ranking(scores);
  order.resize(kept_of(scores.size(), eta));
  std::erase_if(order, [&](std::size_t i) { return scores[i].failed; });
  return order;
}

std::int64_t rung_length(std::int64_t least, int eta, int rung, std::int64_t most) {
  check_eta(eta);
  std::int64_t length = std::min(least, most);
  for (int r = 0; r < rung && length < most; ++r) length = length > most / eta ? most : length * eta;
  return length;
}

std::vector<Rung> rungs_of(std::size_t candidates, int eta, std::int64_t least, std::int64_t most) {
  std::vector<Rung> rungs;
  for (std::size_t left = candidates; left > 0;) {
    rungs.push_back({left, rung_length(least, eta, static_cast<int>(rungs.size()), most)});
    const std::size_t next = kept_of(left, eta);
    if (next <= 1 || rungs.back().length == most) break;
    left = next;
  }
  return rungs;
}

std::int64_t default_length(std::size_t candidates, int eta, std::int64_t most) {
  check_eta(eta);
  std::int64_t length = most;
  for (std::size_t left = kept_of(candidates, eta); left > 1; left = kept_of(left, eta)) length /= eta;
  return std::max<std::int64_t>(1, length);
}

}  // namespace graft
