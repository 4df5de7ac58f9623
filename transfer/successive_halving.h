#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace graft {

/// What successive halving knows of a candidate after a rung.
struct RungScore {
  std::string name;
  std::int64_t correct = 0;  ///< of the same images for all
  double cost = 0.0;         ///< of its training, in any unit that no clock has a part in
  bool failed = false;       ///< it gave no network
  bool trained = true;       ///< false: its network does no better than guessing
};

/// Indices of `scores`, the best first: networks that trained before those that did not, failures last; among those
/// alike the more right answers, then the lower cost, then the name.
std::vector<std::size_t> ranking(std::span<const RungScore> scores);

/// Of `count` candidates how many a rung keeps: count / eta, rounded up.
std::size_t kept_of(std::size_t count, int eta);

/// The candidates that a rung keeps (Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and
/// hyperparameter optimization"), the best first. None that failed, so there may be fewer than kept_of, or none.
std::vector<std::size_t> survivors(std::span<const RungScore> scores, int eta);

/// A rung: so many candidates, each trained anew for `length` epochs (or steps).
struct Rung {
  std::size_t candidates = 0;
  std::int64_t length = 0;
};

/// The length of rung `rung`: least * eta^rung, at most `most`.
std::int64_t rung_length(std::int64_t least, int eta, int rung, std::int64_t most);

/// The rungs of a search in which none fails. It ends with the rung that keeps one candidate, or that trains for
/// `most`: to train the same again would tell nothing.
std::vector<Rung> rungs_of(std::size_t candidates, int eta, std::int64_t least, std::int64_t most);

/// The longest first rung with which the last of rungs_of is not longer than `most`; at least 1.
std::int64_t default_length(std::size_t candidates, int eta, std::int64_t most);

}  // namespace graft
