#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "engine/tensor/tensor.h"

namespace graft {

struct Node;

/// A tensor with a place on the tape: a shared handle of a value, its gradient and, unless it is a leaf, the node that
/// made it. Gradients have the value's shape; a parameter's is f32 whatever dtype the layer computes in.
class Variable {
 public:
  Variable() = default;
  explicit Variable(Tensor value, bool requires_grad = false);

  bool defined() const { return state_ != nullptr; }
  const Tensor& value() const;
  const Shape& shape() const { return value().shape(); }
  DType dtype() const { return value().dtype(); }
  Backend& backend() const { return value().backend(); }

  /// True iff backward will bring a gradient here: a leaf that asked for one, or a result of such.
  bool requires_grad() const;
  /// For leaves only: freezes or thaws. Throws Error on a result.
  void set_requires_grad(bool requires_grad);

  /// The accumulated gradient; undefined before backward reaches this leaf and after clear_grad.
  const Tensor& grad() const;
  void clear_grad();
  /// Adds `gradient` to grad: takes it over if there is none, else one accumulate call into a tensor that nobody
  /// shares.
  void accumulate_grad(const Tensor& gradient);

  /// Replaces the value (same shape and dtype) or says that it was written in place; drops the converted copy.
  void set_value(Tensor value);
  void mark_changed();
  /// How often the value was replaced or said to be written: the converted copy is the same as long as this is.
  std::uint64_t changes() const;
  /// The value in `dtype`: itself, or a converted copy that is kept until the value changes. So a parameter is cast
  /// once a step, and a frozen one once.
  Tensor value_as(DType dtype) const;

  /// Converts a leaf's value to another floating dtype and drops its gradient: how tests get a network in f64.
  void convert(DType dtype);

  /// The node that made this value; nullptr for leaves and where nothing was recorded.
  const std::shared_ptr<Node>& producer() const;
  void set_producer(std::shared_ptr<Node> node);
  /// True iff both are handles of one variable.
  bool same_as(const Variable& other) const { return state_ == other.state_; }

 private:
  friend struct Node;
  friend Variable record(const char* name, Tensor value, std::vector<Variable> inputs,
                         std::function<std::vector<Tensor>(const Tensor&, std::span<const bool>)> backward,
                         bool implicit_one);
  /// What the tape keeps of an input: the leaf itself, or the producer of a result without its value; undefined if no
  /// gradient is wanted. So a value lives as long as somebody computes with it and no longer.
  Variable edge() const;

  struct State;
  std::shared_ptr<State> state_;
};

/// One operation on the tape. `backward` gets the gradient of the output and returns one gradient an input, undefined
/// where `needs[i]` is false; what it saved lives in its captures and dies with the node, as backward passes it.
/// Captures hold tensors, never variables: those would keep the tape alive.
struct Node {
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Releases the nodes that only this one kept alive, without recursion.
  ~Node();

  std::uint64_t sequence = 0;  ///< creation order within the thread; backward goes from high to low
  const char* name = "";
  bool implicit_one = false;     ///< true iff `backward` takes an undefined gradient for a one
  std::vector<Variable> inputs;  ///< edges: without the values of results
  std::function<std::vector<Tensor>(const Tensor& output_gradient, std::span<const bool> needs)> backward;
};

/// Wraps the value that an operation computed and, iff some input requires a gradient and recording is on, puts a node
/// on the tape. `inputs` may hold undefined variables (an absent bias). A loss may set `implicit_one`: its backward
/// then gets an undefined gradient where a walk starts from it without one.
Variable record(const char* name, Tensor value, std::vector<Variable> inputs,
                std::function<std::vector<Tensor>(const Tensor&, std::span<const bool>)> backward,
                bool implicit_one = false);

/// True iff an operation on these inputs would be recorded: lets an operation skip what only backward needs.
bool will_record(std::span<const Variable> inputs);
bool will_record(std::initializer_list<Variable> inputs);

/// Walks the tape from `output` in decreasing sequence, without recursion, freeing each node as it passes. `gradient`
/// undefined: ones, and then output must have one element. Throws Error if nothing was recorded.
void backward(const Variable& output, const Tensor& gradient = {});

/// While one lives, its thread records nothing.
class NoGradScope {
 public:
  NoGradScope();
  ~NoGradScope();
  NoGradScope(const NoGradScope&) = delete;
  NoGradScope& operator=(const NoGradScope&) = delete;

 private:
  bool previous_;
};

}  // namespace graft
