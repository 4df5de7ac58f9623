#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "engine/autograd/variable.h"
#include "engine/backend/backend.h"
#include "engine/base/error.h"

namespace graft {
namespace {

thread_local bool recording = true;
thread_local std::uint64_t next_sequence = 0;

// The gradient that has been gathered for the output of a node that backward has yet to pass.
struct Arriving {
  std::shared_ptr<Node> node;
  Tensor gradient;
  bool is_own = false;  // true iff `gradient` is a sum that this walk made
};

// One walk from an output to the leaves. Nodes wait in a map by decreasing sequence: the next to pass is the youngest,
// and whatever used its output is younger still, so its gradient is complete.
class Walk {
 public:
  void add(const std::shared_ptr<Node>& node, const Tensor& gradient) {
    Arriving& arriving = waiting_[{node->sequence, node.get()}];
    if (arriving.node == nullptr) {
      arriving = {node, gradient, false};
    } else if (arriving.is_own) {
      gradient.backend().accumulate(gradient, arriving.gradient);
    } else {
      // The gradient that came first may also be another input's, so the sum gets memory of its own.
      const Tensor sum = gradient.backend().empty(gradient.shape(), gradient.dtype());
      gradient.backend().add(arriving.gradient, gradient, sum);
      arriving.gradient = sum;
      arriving.is_own = true;
    }
  }

  void run() {
    while (!waiting_.empty()) {
      Arriving arriving = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      pass(*arriving.node, std::move(arriving.gradient));
    }
  }

 private:
  // Order of the walk: the youngest node first. Sequences are unique within a thread, the address decides elsewhere.
  using Key = std::pair<std::uint64_t, const Node*>;

  void pass(Node& node, Tensor gradient) {
    check(node.backward != nullptr, "[backward] [{}] was passed before: record the forward pass again", node.name);
    // Moved out of the node: what it saved dies here, even where the caller still holds the output.
    auto backward = std::exchange(node.backward, nullptr);
    const std::vector<Variable> inputs = std::exchange(node.inputs, {});
    const auto needs = std::make_unique<bool[]>(inputs.size());
    std::transform(inputs.begin(), inputs.end(), needs.get(), [](const Variable& x) { return x.requires_grad(); });
    const std::vector<Tensor> gradients = backward(gradient, std::span<const bool>(needs.get(), inputs.size()));
    backward = nullptr;
    gradient = Tensor();
    check(gradients.size() == inputs.size(), "[backward] [{}] gave {} gradients for {} inputs", node.name,
          gradients.size(), inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!needs[i]) continue;
      check(gradients[i].defined(), "[backward] [{}] gave no gradient of input {}", node.name, i);
      deliver(inputs[i], gradients[i]);
    }
  }

  void deliver(Variable input, const Tensor& gradient) {
    if (input.producer() != nullptr) {
      add(input.producer(), gradient);
    } else {
      input.accumulate_grad(gradient);
    }
  }

  std::map<Key, Arriving, std::greater<>> waiting_;
};

}  // namespace

Variable record(const char* name, Tensor value, std::vector<Variable> inputs,
                std::function<std::vector<Tensor>(const Tensor&, std::span<const bool>)> backward, bool implicit_one) {
  Variable result(std::move(value));
  if (!will_record(inputs)) return result;
  for (Variable& input : inputs) input = input.edge();
  const auto node = std::make_shared<Node>();
  node->sequence = next_sequence++;
  node->name = name;
  node->implicit_one = implicit_one;
  node->inputs = std::move(inputs);
  node->backward = std::move(backward);
  result.set_producer(node);
  return result;
}

bool will_record(std::span<const Variable> inputs) {
  return recording && std::any_of(inputs.begin(), inputs.end(), [](const Variable& x) { return x.requires_grad(); });
}

bool will_record(std::initializer_list<Variable> inputs) {
  return will_record(std::span<const Variable>(inputs.begin(), inputs.size()));
}

void backward(const Variable& output, const Tensor& gradient) {
  const std::shared_ptr<Node>& node = output.producer();
  check(node != nullptr, "[backward] nothing was recorded: no input of {} required a gradient",
        output.defined() ? output.value().str() : "an undefined variable");
  const Tensor& value = output.value();
  Tensor start = gradient;
  if (gradient.defined()) {
    check(gradient.shape() == value.shape() && gradient.dtype() == value.dtype(),
          "[backward] the gradient is {}, the output {}", gradient.str(), value.str());
  } else {
    check(value.numel() == 1, "[backward] an output of {} needs a gradient: only one element has an implicit one",
          value.str());
    if (!node->implicit_one) {
      start = value.backend().empty(value.shape(), value.dtype());
      value.backend().fill(1.0, start);
    }
  }
  Walk walk;
  walk.add(node, start);
  start = Tensor();
  walk.run();
}

NoGradScope::NoGradScope() : previous_(std::exchange(recording, false)) {}
NoGradScope::~NoGradScope() { recording = previous_; }

}  // namespace graft
