#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/state_values.h"

namespace graft {
namespace {

class Sgd : public Optimizer {
 public:
  Sgd(std::vector<NamedVariable> parameters, const SgdOptions& options)
      : Optimizer(std::move(parameters)), options_(options) {
    if (options.momentum != 0.0) velocity_ = add_state("momentum_buffer");
  }

 private:
  void launch(const std::vector<Tensor>& values, const std::vector<Tensor>& gradients,
              const std::vector<std::size_t>& indices, const Tensor& gradient_scale) override {
    const auto velocity = velocity_.empty() ? std::vector<Tensor>() : state_values(velocity_, indices);
    lr().backend().sgd_step(values, gradients, velocity, lr(), gradient_scale, options_);
  }

  SgdOptions options_;
  std::vector<Variable> velocity_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sgd(std::vector<NamedVariable> parameters, const SgdOptions& options) {
  if (!(options.momentum >= 0.0 && options.weight_decay >= 0.0)) {
    fail(ErrorKind::usage, "[sgd] momentum is {} and weight decay {}: neither may be negative", options.momentum,
         options.weight_decay);
  }
  if (options.nesterov && options.momentum == 0.0) {
    fail(ErrorKind::usage, "[sgd] Nesterov's update needs a momentum, it is 0: set one or turn nesterov off");
  }
  return std::make_unique<Sgd>(std::move(parameters), options);
}

}  // namespace graft
