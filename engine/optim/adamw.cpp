#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"
#include "engine/optim/optimizer.h"
#include "engine/optim/state_values.h"

namespace graft {
namespace {

class AdamW : public Optimizer {
 public:
  AdamW(std::vector<NamedVariable> parameters, const AdamWOptions& options)
      : Optimizer(std::move(parameters)),
        options_(options),
        first_moment_(add_state("exp_avg")),
        second_moment_(add_state("exp_avg_sq")) {}

 private:
  void launch(const std::vector<Tensor>& values, const std::vector<Tensor>& gradients,
              const std::vector<std::size_t>& indices, const Tensor& gradient_scale) override {
    lr().backend().adamw_step(values, gradients, state_values(first_moment_, indices),
                              state_values(second_moment_, indices), lr(), step_tensor(), gradient_scale, options_);
  }

  AdamWOptions options_;
  std::vector<Variable> first_moment_;
  std::vector<Variable> second_moment_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(std::vector<NamedVariable> parameters, const AdamWOptions& options) {
  const auto is_decay = [](double beta) { return beta >= 0.0 && beta < 1.0; };
  if (!is_decay(options.beta1) || !is_decay(options.beta2)) {
    fail(ErrorKind::usage, "[adamw] betas are {} and {}: each must be at least 0 and below 1", options.beta1,
         options.beta2);
  }
  if (!(options.eps >= 0.0 && options.weight_decay >= 0.0)) {
    fail(ErrorKind::usage, "[adamw] eps is {} and weight decay {}: neither may be negative", options.eps,
         options.weight_decay);
  }
  return std::make_unique<AdamW>(std::move(parameters), options);
}

}  // namespace graft
