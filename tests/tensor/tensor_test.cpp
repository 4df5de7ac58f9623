#include "engine/tensor/tensor.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/base/error.h"

namespace graft {

// The tensor floor knows a backend by name only: here is one without any kernels.
class Backend {};

namespace {

class TensorTest : public ::testing::Test {
 protected:
  StoragePtr storage(std::size_t bytes) {
    buffers_.push_back(std::make_unique<std::byte[]>(bytes));
    return std::make_shared<Storage>(buffers_.back().get(), bytes, [this](void*, std::size_t) { ++released_; });
  }
  Tensor f32(const Shape& shape) {
    return Tensor(backend_, storage(static_cast<std::size_t>(shape.numel()) * 4), 0, shape, DType::f32);
  }

  Backend backend_;
  int released_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> buffers_;
};

}  // namespace

TEST_F(TensorTest, UndefinedStandsForNothing) {
  const Tensor tensor;
  EXPECT_FALSE(tensor.defined());
  EXPECT_EQ(tensor.raw(), nullptr);
  EXPECT_EQ(tensor.data<float>(), nullptr);
  EXPECT_EQ(tensor.str(), "undefined");
  EXPECT_THROW(tensor.reshape({1}), Error);
  EXPECT_THROW(tensor.slice(0, 0), Error);
}

TEST_F(TensorTest, KnowsItsSizeAndType) {
  const Tensor tensor = f32({2, 3, 4});
  EXPECT_TRUE(tensor.defined());
  EXPECT_EQ(tensor.numel(), 24);
  EXPECT_EQ(tensor.nbytes(), 96u);
  EXPECT_EQ(tensor.str(), "f32 [2, 3, 4]");
  EXPECT_EQ(&tensor.backend(), &backend_);
  EXPECT_EQ(static_cast<void*>(tensor.data<float>()), tensor.raw());
  EXPECT_THROW(tensor.data<std::int32_t>(), Error);
}

TEST_F(TensorTest, MustFitItsStorage) {
  EXPECT_NO_THROW(Tensor(backend_, storage(16), 8, {2}, DType::f32));
  EXPECT_THROW(Tensor(backend_, storage(16), 9, {2}, DType::f32), Error);
  EXPECT_THROW(Tensor(backend_, storage(16), 0, {5}, DType::f32), Error);
  EXPECT_THROW(Tensor(backend_, nullptr, 0, {1}, DType::f32), Error);
}

TEST_F(TensorTest, ReshapeSharesStorage) {
  const Tensor tensor = f32({2, 6});
  const Tensor reshaped = tensor.reshape({3, 4});
  EXPECT_EQ(reshaped.raw(), tensor.raw());
  EXPECT_EQ(reshaped.shape(), (Shape{3, 4}));
  EXPECT_FALSE(reshaped.same_as(tensor));
  EXPECT_TRUE(reshaped.reshape({2, 6}).same_as(tensor));
  EXPECT_THROW(tensor.reshape({5}), Error);
}

TEST_F(TensorTest, SliceTakesRows) {
  const Tensor tensor = f32({5, 2, 3});
  const Tensor rows = tensor.slice(1, 3);
  EXPECT_EQ(rows.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(rows.data<float>(), tensor.data<float>() + 6);
  EXPECT_EQ(rows.slice(1, 2).data<float>(), tensor.data<float>() + 12);
  EXPECT_EQ(tensor.slice(5, 5).numel(), 0);
  EXPECT_THROW(tensor.slice(3, 6), Error);
  EXPECT_THROW(tensor.slice(3, 2), Error);
  EXPECT_THROW(tensor.slice(-1, 2), Error);
  EXPECT_EQ(f32({0, 3}).slice(0, 0).numel(), 0);
}

TEST_F(TensorTest, ReleasesStorageOnceWithTheLastHandle) {
  Tensor tensor = f32({4});
  Tensor view = tensor.slice(1, 2);
  tensor = {};
  EXPECT_EQ(released_, 0);
  view = {};
  EXPECT_EQ(released_, 1);
}

}  // namespace graft
