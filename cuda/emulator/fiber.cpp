#include "cuda/emulator/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <utility>

#include "cuda/emulator/sanitizer.h"

namespace graft::cuda::emulator {

namespace context = boost::context;

namespace {

constexpr std::size_t kStackBytes = std::size_t{256} << 10;  // touched as far as it is used
constexpr std::size_t kLine = 64;                            // of a cache
constexpr std::size_t kLines = 64;                           // a page's, over which the tops of stacks are spread
constexpr std::size_t kFrameLines = 7;  // about what lies between a stack's top and what runs there; odd

/// Unwinds a fiber that nobody will go on with.
struct Abandoned {};

/// The fiber that was left for the one that runs.
thread_local Fiber* left = nullptr;

/// The stack's memory belongs to Stack.
struct BorrowedStack {
  const Stack* stack;
  context::stack_context allocate() const {
    context::stack_context memory;
    memory.sp = stack->top();
    memory.size = stack->bytes();
    return memory;
  }
  void deallocate(context::stack_context& /*memory*/) const {}
};

}  // namespace

Stack::Stack(std::size_t number) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapping =
      mmap(nullptr, page + kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(mapping);
  bottom_ = mapping_ + page;
  top_ = bottom_ + kStackBytes - number * kFrameLines % kLines * kLine;
  mprotect(mapping_, page, PROT_NONE);
  allow_bytes(bottom_, kStackBytes);
}

Stack::~Stack() {
  allow_bytes(bottom_, kStackBytes);
  munmap(mapping_, static_cast<std::size_t>(bottom_ - mapping_) + kStackBytes);
}

Fiber::Fiber(std::size_t number, std::function<void()> body) : stack_(std::make_unique<Stack>(number)) {
  bottom_ = stack_->top() - stack_->bytes();
  bytes_ = stack_->bytes();
  rest_ = context::fiber(std::allocator_arg, BorrowedStack{stack_.get()},
                         [this, body = std::move(body)](context::fiber&& rest) { return run(std::move(rest), body); });
}

Fiber::~Fiber() {
  if (left_for_good_) {
    // Boost would unwind it: it never gets to know that the stack is gone.
    static_cast<void>(new context::fiber(std::move(rest_)));  // NOLINT(bugprone-unhandled-exception-at-new)
    return;
  }
  if (!rest_) return;
  Fiber here;
  abandoned_ = true;
  switch_over(here, *this);
}

void Fiber::arrive(context::fiber&& rest) {
  announce_arrival(fake_stack_, &left->bottom_, &left->bytes_);
  left->rest_ = std::move(rest);
}

context::fiber Fiber::run(context::fiber&& rest, const std::function<void()>& body) {
  arrive(std::move(rest));
  if (!abandoned_) {
    try {
      body();
    } catch (const Abandoned&) {
    }
  }
  Fiber& back = *left;
  left = this;
  announce_switch(nullptr, back.bottom_, back.bytes_);
  return std::move(back.rest_);
}

void Fiber::switch_over(Fiber& from, Fiber& to) {
  left = &from;
  announce_switch(&from.fake_stack_, to.bottom_, to.bytes_);
  from.arrive(std::move(to.rest_).resume());
  if (from.abandoned_) throw Abandoned{};
}

void Fiber::leave_for_good(Fiber& from, Fiber& to) {
  from.left_for_good_ = true;
  switch_over(from, to);
  std::abort();
}

}  // namespace graft::cuda::emulator
