#pragma once

#include <deque>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/io/pickle.h"

namespace graft {

/// Makes the values of a pickle, as many as its limits allow.
class PickleBuilder {
 public:
  PickleBuilder(std::deque<PickleNode>& nodes, std::vector<const PickleNode*>& globals,
                std::vector<const PickleNode*>& persistents);

  PickleNode* none() const { return none_; }
  PickleNode* boolean(bool value) const { return value ? true_ : false_; }
  /// The empty tuple, which nothing may be added to.
  PickleNode* empty_tuple() const { return empty_; }

  PickleNode* make(PickleNode::Kind kind);
  PickleNode* integer(std::int64_t value);
  /// From little-endian two's complement.
  PickleNode* long_integer(std::string_view digits);
  /// From a decimal line of protocol 0, which Python 2 wrote for large integers in every protocol.
  PickleNode* decimal(std::string_view line);
  PickleNode* real(double value);
  /// Of the kinds text and bytes.
  PickleNode* text(PickleNode::Kind kind, std::string_view text);
  /// A list, or a dict of alternating keys and values.
  PickleNode* container(PickleNode::Kind kind, std::vector<const PickleNode*> items);
  PickleNode* global(std::string_view module, std::string_view name);
  PickleNode* persistent(const PickleNode* id);
  /// What calling a global makes: Python's own containers, else a node that only says so.
  PickleNode* call(const PickleNode* callee, const PickleNode* arguments);

 private:
  PickleNode* converted(PickleNode::Kind kind, const PickleNode* source);

  std::deque<PickleNode>& nodes_;
  std::vector<const PickleNode*>& globals_;
  std::vector<const PickleNode*>& persistents_;
  std::set<std::pair<std::string_view, std::string_view>> global_names_;
  std::size_t copied_items_ = 0;
  PickleNode* none_ = nullptr;
  PickleNode* true_ = nullptr;
  PickleNode* false_ = nullptr;
  PickleNode* empty_ = nullptr;
};

}  // namespace graft
