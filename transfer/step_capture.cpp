#include "transfer/step_capture.h"

namespace graft {

bool StepCapture::run(const StepKey& key, const std::function<void()>& step) {
  if (key != key_) {
    // Called, not captured: what is made once (converted copies of frozen parameters) is made outside of a capture.
    captured_ = nullptr;
    step();
    key_ = key;
    return false;
  }
  if (captured_ == nullptr) captured_ = backend_.capture(step);
  captured_->replay();
  return true;
}

}  // namespace graft
