#include "engine/io/pickle.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <unordered_map>

#include "engine/io/byte_cursor.h"
#include "engine/io/pickle_builder.h"

namespace graft {
namespace {

using Kind = PickleNode::Kind;

constexpr int kMaxProtocol = 5;

/// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, PickleBuilder builder)
      : cursor_(bytes, "its pickle"), build_(std::move(builder)) {}

  const PickleNode* run() {
    for (;;) {
      const char opcode = cursor_.little<char>();
      if (opcode == '.') return pop();
      const bool known = step_number(opcode) || step_text(opcode) || step_container(opcode) || step_stack(opcode) ||
                         step_object(opcode);
      if (!known) damaged("its pickle has the opcode 0x{:02x}", static_cast<unsigned char>(opcode));
    }
  }

  std::size_t position() const { return cursor_.position(); }

 private:
  void push(PickleNode* node) { stack_.push_back(node); }
  /// The lowest stack position that belongs to what follows the last mark.
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  PickleNode* pop() {
    if (stack_.size() <= floor()) damaged("its pickle takes from an empty stack");
    PickleNode* node = stack_.back();
    stack_.pop_back();
    return node;
  }

  PickleNode* top() {
    if (stack_.size() <= floor()) damaged("its pickle takes from an empty stack");
    return stack_.back();
  }

  /// What stands above the last mark; the mark goes too.
  std::vector<const PickleNode*> pop_mark() {
    if (marks_.empty()) damaged("its pickle looks for a mark that is not there");
    const std::size_t first = marks_.back();
    marks_.pop_back();
    std::vector<const PickleNode*> items(stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
    stack_.resize(first);
    return items;
  }

  std::string_view take_text(std::uint64_t size) { return as_text(cursor_.take(size)); }

  double big_endian_real() {
    std::uint64_t bits = 0;
    for (const std::byte byte : cursor_.take(8)) bits = bits << 8 | std::to_integer<std::uint64_t>(byte);
    return std::bit_cast<double>(bits);
  }

  bool step_number(char opcode) {
    switch (opcode) {
      case 'N':
        return push(build_.none()), true;
      case '\x88':
        return push(build_.boolean(true)), true;
      case '\x89':
        return push(build_.boolean(false)), true;
      case 'J':
        return push(build_.integer(cursor_.little<std::int32_t>())), true;
      case 'K':
        return push(build_.integer(cursor_.little<std::uint8_t>())), true;
      case 'M':
        return push(build_.integer(cursor_.little<std::uint16_t>())), true;
      case 'I':
      case 'L':
        return push(build_.decimal(cursor_.line())), true;
      case 'G':
        return push(build_.real(big_endian_real())), true;
      case '\x8a':
        return push(build_.long_integer(take_text(cursor_.little<std::uint8_t>()))), true;
      case '\x8b':
        return push(build_.long_integer(take_text(cursor_.little<std::uint32_t>()))), true;
      default:
        return false;
    }
  }

  bool step_text(char opcode) {
    switch (opcode) {
      case 'U':
      case '\x8c':
        return push(build_.text(Kind::text, take_text(cursor_.little<std::uint8_t>()))), true;
      case 'T':
      case 'X':
        return push(build_.text(Kind::text, take_text(cursor_.little<std::uint32_t>()))), true;
      case '\x8d':
        return push(build_.text(Kind::text, take_text(cursor_.little<std::uint64_t>()))), true;
      case 'C':
        return push(build_.text(Kind::bytes, take_text(cursor_.little<std::uint8_t>()))), true;
      case 'B':
        return push(build_.text(Kind::bytes, take_text(cursor_.little<std::uint32_t>()))), true;
      case '\x8e':
      case '\x96':
        return push(build_.text(Kind::bytes, take_text(cursor_.little<std::uint64_t>()))), true;
      default:
        return false;
    }
  }

  void push_tuple(std::size_t size) {
    std::vector<const PickleNode*> items(size);
    for (std::size_t i = size; i-- > 0;) items[i] = pop();
    push(build_.container(Kind::list, std::move(items)));
  }

  /// Adds to a container, or to what an opaque call made.
  void extend(bool pairs, const std::vector<const PickleNode*>& items) {
    PickleNode* target = top();
    const bool fits = target->is(Kind::call) || target->is(pairs ? Kind::dict : Kind::list);
    if (!fits || target == build_.empty_tuple()) damaged("its pickle adds to what is no container");
    if (pairs && items.size() % 2 != 0) damaged("its pickle has a dict with a key without a value");
    target->items.insert(target->items.end(), items.begin(), items.end());
  }

  void extend_by(bool pairs, std::size_t count) {
    std::vector<const PickleNode*> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    extend(pairs, items);
  }

  bool step_container(char opcode) {
    switch (opcode) {
      case ')':
        return push(build_.empty_tuple()), true;
      case '\x85':
        return push_tuple(1), true;
      case '\x86':
        return push_tuple(2), true;
      case '\x87':
        return push_tuple(3), true;
      case 't':
      case 'l':
      case '\x91':
        return push(build_.container(Kind::list, pop_mark())), true;
      case ']':
      case '\x8f':
        return push(build_.make(Kind::list)), true;
      case '}':
        return push(build_.make(Kind::dict)), true;
      case 'd':
        return push(build_.container(Kind::dict, pop_mark())), true;
      case 'a':
        return extend_by(false, 1), true;
      case 's':
        return extend_by(true, 2), true;
      case 'e':
      case '\x90':
        return extend(false, pop_mark()), true;
      case 'u':
        return extend(true, pop_mark()), true;
      default:
        return false;
    }
  }

  void push_memo(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) damaged("its pickle recalls value {}, which it never kept", index);
    push(found->second);
  }

  static std::uint32_t memo_number(std::string_view line) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error != std::errc() || end != line.data() + line.size()) damaged("its pickle has a number that is none");
    return value;
  }

  void check_protocol(std::uint8_t protocol) {
    if (protocol > kMaxProtocol) {
      refused("save it with pickle_protocol=2", "its pickle is of protocol {}, at most {} is read", protocol,
              kMaxProtocol);
    }
  }

  bool step_stack(char opcode) {
    switch (opcode) {
      case '\x80':
        return check_protocol(cursor_.little<std::uint8_t>()), true;
      case '\x95':
        return static_cast<void>(cursor_.take(8)), true;  // a frame's length, which nothing here needs
      case '(':
        return marks_.push_back(stack_.size()), true;
      case '0':
        return stack_.size() > floor() ? static_cast<void>(pop()) : static_cast<void>(pop_mark()), true;
      case '1':
        return static_cast<void>(pop_mark()), true;
      case '2':
        return push(top()), true;
      case 'q':
        return memo_.insert_or_assign(cursor_.little<std::uint8_t>(), top()), true;
      case 'r':
        return memo_.insert_or_assign(cursor_.little<std::uint32_t>(), top()), true;
      case 'p':
        return memo_.insert_or_assign(memo_number(cursor_.line()), top()), true;
      case '\x94':
        return memo_.insert_or_assign(static_cast<std::uint32_t>(memo_.size()), top()), true;
      case 'h':
        return push_memo(cursor_.little<std::uint8_t>()), true;
      case 'j':
        return push_memo(cursor_.little<std::uint32_t>()), true;
      case 'g':
        return push_memo(memo_number(cursor_.line())), true;
      default:
        return false;
    }
  }

  void push_stack_global() {
    const PickleNode* name = pop();
    const PickleNode* module = pop();
    if (!name->is(Kind::text) || !module->is(Kind::text)) damaged("its pickle has a global without a name");
    push(build_.global(module->text, name->text));
  }

  void push_call() {
    const PickleNode* arguments = pop();
    const PickleNode* callee = pop();
    push(build_.call(callee, arguments));
  }

  void push_call_with_keywords() {
    const PickleNode* keywords = pop();
    push_call();
    if (top()->is(Kind::call)) top()->state = keywords;
  }

  /// The callee and its arguments stand above the mark (opcode OBJ of protocol 1).
  void push_call_of_mark() {
    std::vector<const PickleNode*> items = pop_mark();
    if (items.empty()) damaged("its pickle makes an object of nothing");
    const PickleNode* callee = items.front();
    items.erase(items.begin());
    PickleNode* arguments = build_.make(Kind::list);
    arguments->items = std::move(items);
    push(build_.call(callee, arguments));
  }

  /// An object's attributes. Of dicts they are dropped: PyTorch keeps the modules' version numbers there.
  void set_state() {
    const PickleNode* state = pop();
    PickleNode* target = top();
    if (target->is(Kind::call)) target->state = state;
  }

  bool step_object(char opcode) {
    switch (opcode) {
      case 'c': {
        const std::string_view module = cursor_.line();
        return push(build_.global(module, cursor_.line())), true;
      }
      case '\x93':
        return push_stack_global(), true;
      case 'R':
      case '\x81':
        return push_call(), true;
      case '\x92':
        return push_call_with_keywords(), true;
      case 'o':
        return push_call_of_mark(), true;
      case 'i': {
        const std::string_view module = cursor_.line();
        PickleNode* global = build_.global(module, cursor_.line());
        PickleNode* arguments = build_.make(Kind::list);
        arguments->items = pop_mark();
        return push(build_.call(global, arguments)), true;
      }
      case 'b':
        return set_state(), true;
      case 'Q':
        return push(build_.persistent(pop())), true;
      case 'P':
        return push(build_.persistent(build_.text(Kind::text, cursor_.line()))), true;
      default:
        return false;
    }
  }

  ByteCursor cursor_;
  PickleBuilder build_;
  std::vector<PickleNode*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, PickleNode*> memo_;
};

}  // namespace

Pickle::Pickle(std::span<const std::byte> bytes) {
  Machine machine(bytes, PickleBuilder(nodes_, globals_, persistents_));
  root_ = machine.run();
  size_ = machine.position();
}

}  // namespace graft
