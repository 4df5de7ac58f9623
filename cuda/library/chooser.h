#pragma once

#include <functional>
#include <map>
#include <string>

#include "cuda/runtime/stream.h"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

/// One of several ways to compute the same: calling it again gives the same output.
struct Implementation {
  const char* name;  ///< "native", "cudnn", "cublas"
  std::function<void()> run;
};

/// Chooses the faster of two implementations for each shape, once: where an option says "auto".
class Chooser {
 public:
  /// `known`: choices to repeat instead of measuring.
  explicit Chooser(std::map<std::string, std::string> known) : known_(std::move(known)) {}

  /// Computes by what is chosen for `shape`; the first time by both, timed on the stream. A shape that is first met
  /// while the stream is captured, where nothing can be timed, is `native`'s from then on.
  void run(const Stream& stream, const std::string& shape, const Implementation& native, const Implementation& library);
  /// What was chosen, by shape.
  const std::map<std::string, std::string>& choices() const { return choices_; }

 private:
  std::string choose(const Stream& stream, const std::string& shape, const Implementation& native,
                     const Implementation& library) const;

  std::map<std::string, std::string> known_;
  std::map<std::string, std::string> choices_;
};

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
