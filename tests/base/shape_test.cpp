#include "engine/base/shape.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/base/error.h"

namespace graft {

TEST(Shape, CountsAndNames) {
  const Shape shape{2, 3, 5};
  EXPECT_EQ(shape.rank(), 3);
  EXPECT_EQ(shape.numel(), 30);
  EXPECT_EQ(shape[0], 2);
  EXPECT_EQ(shape[-1], 5);
  EXPECT_EQ(shape[-3], 2);
  EXPECT_EQ(shape.str(), "[2, 3, 5]");
}

TEST(Shape, OfRankZeroHasOneElementAndOfExtentZeroNone) {
  EXPECT_EQ(Shape().numel(), 1);
  EXPECT_EQ(Shape().str(), "[]");
  EXPECT_EQ((Shape{4, 0, 7}).numel(), 0);
}

TEST(Shape, ComparesExtentsAndRank) {
  EXPECT_EQ((Shape{1, 2}), (Shape{1, 2}));
  EXPECT_NE((Shape{1, 2}), (Shape{2, 1}));
  EXPECT_NE((Shape{1, 2}), (Shape{1, 2, 1}));
  EXPECT_NE(Shape(), Shape{0});
}

TEST(Shape, RefusesNegativeExtentsTooManyDimensionsAndWrongIndices) {
  EXPECT_THROW((Shape{1, -1}), Error);
  EXPECT_THROW(Shape(std::vector<std::int64_t>(Shape::kMaxRank + 1, 1)), Error);
  EXPECT_NO_THROW(Shape(std::vector<std::int64_t>(Shape::kMaxRank, 1)));
  const Shape shape{2, 3};
  EXPECT_THROW(shape.dim(2), Error);
  EXPECT_THROW(shape.dim(-3), Error);
}

}  // namespace graft
