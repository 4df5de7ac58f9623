#include "cuda/library/chooser.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "cuda/runtime/graph.h"
#include "engine/base/error.h"

namespace graft::cuda::testing {
namespace {

class ChooserTest : public ::testing::Test {
 protected:
  ChooserTest() : stream_(open_device(0)) {}

  /// Notes its calls; takes so many milliseconds each.
  Implementation implementation(const char* name, int milliseconds) {
    return {name, [this, name, milliseconds] {
              calls_ += name[0];
              std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
            }};
  }

  Stream stream_;
  std::string calls_;
};

TEST_F(ChooserTest, MeasuresAShapeOnceAndKeepsToTheFaster) {
  Chooser chooser({});
  const Implementation slow = implementation("native", 20);
  const Implementation fast = implementation("library", 1);
  chooser.run(stream_, "1x1", slow, fast);
  EXPECT_EQ(calls_, "llllllnnnnnnl") << "each six times, then the faster";
  calls_.clear();
  chooser.run(stream_, "1x1", slow, fast);
  EXPECT_EQ(calls_, "l");
  calls_.clear();
  chooser.run(stream_, "2x2", implementation("native", 1), implementation("library", 20));
  EXPECT_EQ(calls_.back(), 'n');
  EXPECT_EQ(chooser.choices(), (std::map<std::string, std::string>{{"1x1", "library"}, {"2x2", "native"}}));
}

TEST_F(ChooserTest, RepeatsWhatARecordSays) {
  Chooser chooser({{"1x1", "native"}, {"2x2", "tensor engine"}});
  chooser.run(stream_, "1x1", implementation("native", 4), implementation("library", 0));
  EXPECT_EQ(calls_, "n");
  try {
    chooser.run(stream_, "2x2", implementation("native", 4), implementation("library", 0));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find("'2x2' is to be computed by tensor engine"), std::string::npos);
  }
}

TEST_F(ChooserTest, NothingIsMeasuredInACapture) {
  Chooser chooser({});
  const Graph graph(stream_,
                    [&] { chooser.run(stream_, "1x1", implementation("native", 4), implementation("library", 0)); });
  EXPECT_EQ(calls_, "n");
  chooser.run(stream_, "1x1", implementation("native", 4), implementation("library", 0));
  EXPECT_EQ(calls_, "nn") << "the same bits outside of the capture";
}

}  // namespace
}  // namespace graft::cuda::testing
