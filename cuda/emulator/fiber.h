#pragma once

#include <boost/context/fiber.hpp>
#include <cstddef>
#include <functional>
#include <memory>

namespace graft::cuda::emulator {

/// Memory of a stack, with a page below it that may not be touched. The stacks of neighbours begin at different
/// distances from the page's end: at equal ones all of them would share the same few sets of the caches.
class Stack {
 public:
  explicit Stack(std::size_t number);
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  std::byte* top() const { return top_; }
  std::size_t bytes() const { return static_cast<std::size_t>(top_ - bottom_); }

 private:
  std::byte* mapping_;
  std::byte* bottom_;
  std::byte* top_;
};

/// A function with a stack of its own, run in turns with others of the same host thread. AddressSanitizer is told of
/// every change of stacks.
class Fiber {
 public:
  /// The stack that the host thread runs on.
  Fiber() = default;
  /// `body` begins when first switched to, and may not return.
  Fiber(std::size_t number, std::function<void()> body);
  /// Unwinds whatever sleeps on the stack.
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Leaves `from`, the fiber that runs, for `to`; returns when something switches to `from` again.
  static void switch_over(Fiber& from, Fiber& to);
  /// The same, never to return: what lies on the stack of `from` is not unwound, ever.
  [[noreturn]] static void leave_for_good(Fiber& from, Fiber& to);

 private:
  boost::context::fiber run(boost::context::fiber&& rest, const std::function<void()>& body);
  void arrive(boost::context::fiber&& rest);

  std::unique_ptr<Stack> stack_;
  boost::context::fiber rest_;  ///< what is left to run; empty for one that runs or has ended
  bool abandoned_ = false;
  bool left_for_good_ = false;
  // What AddressSanitizer keeps: the fake stack, and the stack's bounds.
  void* fake_stack_ = nullptr;
  const void* bottom_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace graft::cuda::emulator
