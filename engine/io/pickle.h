#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A value out of a pickle. What the pickle would have Python import and call is kept as it stands: a `global` is a
/// name, a `call` is a global (or another value) with its arguments and whatever was put into the result.
struct PickleNode {
  enum class Kind : std::uint8_t {
    none,
    boolean,     ///< integer: 0 or 1
    integer,     ///< integer
    big,         ///< text: the little-endian two's complement of an integer beyond 64 bits
    real,        ///< real
    text,        ///< text
    bytes,       ///< text
    list,        ///< items; tuples, sets and torch.Size too
    dict,        ///< items: key, value, key, value ...
    global,      ///< text: the module, name: the name in it
    call,        ///< callee, arguments, state; items: elements or pairs that were added to the result
    persistent,  ///< arguments: the id of something kept outside the pickle
  };

  Kind kind = Kind::none;
  std::int64_t integer = 0;
  double real = 0.0;
  std::string_view text;
  std::string_view name;
  std::vector<const PickleNode*> items;
  const PickleNode* callee = nullptr;
  const PickleNode* arguments = nullptr;
  const PickleNode* state = nullptr;

  bool is(Kind wanted) const { return kind == wanted; }
  /// True iff this is the global `module`.`global_name`.
  bool is_global(std::string_view module, std::string_view global_name) const {
    return kind == Kind::global && text == module && name == global_name;
  }
  /// The value of a text key, or nullptr; this must be a dict. A FormatFault if the key occurs twice.
  const PickleNode* find(std::string_view key) const;
};

/// The first pickle of some bytes, read by an interpreter of the opcodes of protocols 0 to 5 that PyTorch's files use
/// (Python's pickletools documents them). It imports nothing and calls nothing: containers of Python's own are made
/// (dict, OrderedDict, defaultdict, list, set, bytes), everything else stays a `call`. A global that runs code is a
/// FormatFault, wherever it stands. Nodes refer to the bytes, which must outlive this object.
class Pickle {
 public:
  explicit Pickle(std::span<const std::byte> bytes);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;

  const PickleNode& root() const { return *root_; }
  /// Bytes that the pickle takes up.
  std::size_t size() const { return size_; }
  /// The globals, each once, as they come.
  const std::vector<const PickleNode*>& globals() const { return globals_; }
  /// All persistent nodes, as they come.
  const std::vector<const PickleNode*>& persistents() const { return persistents_; }

 private:
  std::deque<PickleNode> nodes_;  // values may hold each other in circles
  std::vector<const PickleNode*> globals_;
  std::vector<const PickleNode*> persistents_;
  const PickleNode* root_ = nullptr;
  std::size_t size_ = 0;
};

/// "module.name" of a global, printable.
std::string global_name(const PickleNode& global);

}  // namespace graft
