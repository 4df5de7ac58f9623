#include "engine/base/error.h"

#include <gtest/gtest.h>

#include <string>

namespace graft {

TEST(Error, HasTheTextAndTheExitCode) {
  try {
    fail(ErrorKind::data, "[idx] {} bytes, {} announced: fetch {} again", 10, 20, "images.idx");
    FAIL() << "fail() must throw";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[idx] 10 bytes, 20 announced: fetch images.idx again");
    EXPECT_EQ(static_cast<int>(error.kind()), 3);
  }
}

TEST(Error, ExitCodesAreThoseOfTheCommand) {
  EXPECT_EQ(static_cast<int>(ErrorKind::failure), 1);
  EXPECT_EQ(static_cast<int>(ErrorKind::usage), 2);
  EXPECT_EQ(static_cast<int>(ErrorKind::data), 3);
  EXPECT_EQ(static_cast<int>(ErrorKind::device), 4);
  EXPECT_EQ(static_cast<int>(ErrorKind::interrupted), 130);
}

TEST(Error, CheckThrowsOnlyWhenTheConditionFails) {
  EXPECT_NO_THROW(check(true, "[test] {}", 1));
  try {
    check(false, "[conv2d] weight has {} input channels, x has {}", 64, 3);
    FAIL() << "check(false) must throw";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[conv2d] weight has 64 input channels, x has 3");
    EXPECT_EQ(error.kind(), ErrorKind::failure);
  }
}

}  // namespace graft
