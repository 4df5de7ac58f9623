#include "engine/autograd/variable.h"

#include <utility>

#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {

struct Variable::State {
  Tensor value;      // undefined in an edge
  Tensor converted;  // the value in another dtype, until the value changes
  std::uint64_t changes = 0;
  Tensor grad;
  bool grad_is_own = false;  // true iff nobody else can hold grad's storage
  bool requires_grad = false;
  std::shared_ptr<Node> producer;
};

Variable::Variable(Tensor value, bool requires_grad) : state_(std::make_shared<State>()) {
  state_->value = std::move(value);
  state_->requires_grad = requires_grad;
}

const Tensor& Variable::value() const {
  check(defined() && state_->value.defined(), "[variable] its value was asked for, it has none");
  return state_->value;
}

bool Variable::requires_grad() const { return defined() && (state_->requires_grad || state_->producer != nullptr); }

void Variable::set_requires_grad(bool requires_grad) {
  check(defined(), "[variable] an undefined variable cannot be frozen or thawed");
  check(state_->producer == nullptr, "[variable] {} is the result of [{}]: only a leaf can be frozen or thawed",
        state_->value.str(), state_->producer ? state_->producer->name : "");
  state_->requires_grad = requires_grad;
  if (!requires_grad) clear_grad();
}

const Tensor& Variable::grad() const {
  check(defined(), "[variable] an undefined variable has no gradient");
  return state_->grad;
}

void Variable::clear_grad() {
  if (!defined()) return;
  state_->grad = Tensor();
  state_->grad_is_own = false;
}

void Variable::accumulate_grad(const Tensor& gradient) {
  check(gradient.defined() && gradient.shape() == shape() && gradient.dtype() == dtype(),
        "[backward] a gradient of {} arrived at a leaf of {}", gradient.str(), value().str());
  if (!state_->grad.defined()) {
    state_->grad = gradient;
    state_->grad_is_own = false;
    return;
  }
  if (state_->grad_is_own) {
    backend().accumulate(gradient, state_->grad);
    return;
  }
  // The first gradient may be shared with another leaf or a saved tensor, so the sum gets memory of its own.
  const Tensor sum = backend().empty(shape(), dtype());
  backend().add(state_->grad, gradient, sum);
  state_->grad = sum;
  state_->grad_is_own = true;
}

void Variable::set_value(Tensor value) {
  const Tensor& old = this->value();
  check(value.defined() && value.shape() == old.shape() && value.dtype() == old.dtype(),
        "[variable] {} cannot take the value {}", old.str(), value.str());
  state_->value = std::move(value);
  mark_changed();
}

void Variable::mark_changed() {
  if (!defined()) return;
  state_->converted = Tensor();
  ++state_->changes;
}

std::uint64_t Variable::changes() const { return defined() ? state_->changes : 0; }

Tensor Variable::value_as(DType dtype) const {
  const Tensor& original = value();
  if (original.dtype() == dtype) return original;
  if (!state_->converted.defined() || state_->converted.dtype() != dtype) {
    const Tensor converted = backend().empty(original.shape(), dtype);
    backend().cast(original, converted);
    state_->converted = converted;
  }
  return state_->converted;
}

void Variable::convert(DType dtype) {
  check(producer() == nullptr && is_floating(this->dtype()) && is_floating(dtype),
        "[variable] {} cannot be converted to {}", value().str(), name_of(dtype));
  if (this->dtype() == dtype) return;
  state_->value = value_as(dtype);
  mark_changed();
  clear_grad();
}

const std::shared_ptr<Node>& Variable::producer() const {
  static const std::shared_ptr<Node> none;
  return defined() ? state_->producer : none;
}

void Variable::set_producer(std::shared_ptr<Node> node) {
  check(defined(), "[variable] an undefined variable has no producer");
  state_->producer = std::move(node);
}

Variable Variable::edge() const {
  if (!requires_grad()) return {};
  if (producer() == nullptr) return *this;
  Variable result{Tensor()};
  result.state_->producer = state_->producer;
  return result;
}

Node::~Node() {
  // Each turn looks at one node of the chain: where only `pending` still holds it, its producers are taken out of it
  // first, so that its own destructor finds nothing to release.
  std::vector<std::shared_ptr<Node>> pending;
  const auto take_producers = [&pending](std::vector<Variable>& edges) {
    for (Variable& edge : edges) {
      // A leaf's state is shared with its owner and has no producer; an edge's state belongs to the node alone.
      if (edge.producer() != nullptr) pending.push_back(std::exchange(edge.state_->producer, nullptr));
    }
  };
  take_producers(inputs);
  while (!pending.empty()) {
    const std::shared_ptr<Node> node = std::move(pending.back());
    pending.pop_back();
    if (node.use_count() == 1) take_producers(node->inputs);
  }
}

}  // namespace graft
