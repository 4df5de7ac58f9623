#include "transfer/step_capture.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "engine/base/error.h"
#include "engine/reference/reference_backend.h"

namespace graft::testing {
namespace {

/// Notes what it is asked for: 'c' for a capture, 'r' for a replay, 'x' for a capture that goes.
class NotingBackend : public ReferenceBackend {
 public:
  bool can_capture() const override { return true; }
  std::unique_ptr<CapturedWork> capture(const std::function<void()>& work) override {
    notes += 'c';
    work();
    return std::make_unique<Noted>(notes);
  }

  std::string notes;

 private:
  class Noted : public CapturedWork {
   public:
    explicit Noted(std::string& notes) : notes_(notes) {}
    ~Noted() override { notes_ += 'x'; }
    void replay() override { notes_ += 'r'; }

   private:
    std::string& notes_;
  };
};

TEST(StepCapture, CapturesTheSecondTimeAndAnewForAnotherKey) {
  NotingBackend backend;
  {
    StepCapture capture(backend);
    const auto step = [&] { backend.notes += 's'; };
    EXPECT_FALSE(capture.run({1, 2}, step));
    EXPECT_TRUE(capture.run({1, 2}, step));
    EXPECT_TRUE(capture.run({1, 2}, step));
    EXPECT_EQ(backend.notes, "scsrr");
    EXPECT_FALSE(capture.run({1, 3}, step));
    EXPECT_TRUE(capture.run({1, 3}, step));
    EXPECT_EQ(backend.notes, "scsrrxscsr");
    EXPECT_FALSE(capture.run({1, 2}, step)) << "an earlier key is not kept";
  }
  EXPECT_EQ(backend.notes, "scsrrxscsrxs");
}

TEST(StepCapture, AStepThatFailsIsNotCaptured) {
  NotingBackend backend;
  StepCapture capture(backend);
  const auto broken = [] { fail(ErrorKind::failure, "planted"); };
  EXPECT_THROW(capture.run({1}, broken), Error);
  EXPECT_FALSE(capture.run({1}, [] {})) << "it has not been called once yet";
  EXPECT_THROW(capture.run({1}, broken), Error);
  EXPECT_TRUE(capture.run({1}, [] {}));
}

TEST(StepCapture, WhereNothingIsCapturedTheBackendSaysSo) {
  ReferenceBackend backend;
  EXPECT_FALSE(backend.can_capture());
  EXPECT_THROW(backend.capture([] {}), Error);
}

}  // namespace
}  // namespace graft::testing
