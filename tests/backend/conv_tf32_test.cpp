#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/backends.h"
#include "engine/backend/backend.h"
#include "engine/backend/registry.h"

// f32 convolutions round their factors to tf32 (10 bits of mantissa) where the backend was asked to allow it and tensor
// cores take the problem, and nowhere else. The factors here are 1 and a number that tf32 rounds to 1.

#ifdef GRAFT_WITH_CUDA_EMULATED
namespace graft::testing {
namespace {

constexpr float kAboveOne = 1.0F + 1.0F / 4096.0F;

struct Channels {
  std::int64_t in, out, groups;
};

using MakeBackend = std::unique_ptr<Backend> (*)(const BackendOptions&);

/// The emulated device and, where there is one, a GPU.
std::vector<MakeBackend> devices() {
  std::vector<MakeBackend> all{make_cuda_emulated_backend};
#ifdef GRAFT_WITH_CUDA
  if (cuda_device_present()) all.push_back(make_cuda_backend);
#endif
  return all;
}

/// Convolutions of `value`s and ones.
class ConvOnOnes {
 public:
  ConvOnOnes(MakeBackend make, bool tf32, const Channels& channels, float value = kAboveOne)
      : backend_(make({.tf32 = tf32})), options_{.groups = channels.groups}, value_(value) {
    x_ = {1, 4, 4, channels.in};
    w_ = {channels.out, 1, 1, channels.in / channels.groups};
    y_ = conv2d_output_shape(x_, w_, options_);
  }

  float forward() {
    const Tensor y = filled(y_, 0.0F);
    backend_->conv2d_forward(filled(x_, value_), filled(w_, 1.0F), {}, {}, options_,
                             scratch(backend_->conv2d_forward_scratch_bytes(x_, w_, DType::f32, options_)), y);
    return first(y);
  }
  float backward_data() {
    const Tensor dx = filled(x_, 0.0F);
    backend_->conv2d_backward_data(filled(y_, value_), filled(w_, 1.0F), options_,
                                   scratch(backend_->conv2d_backward_data_scratch_bytes(x_, w_, DType::f32, options_)),
                                   dx);
    return first(dx);
  }
  float backward_weights() {
    const Tensor dw = filled(w_, 0.0F);
    backend_->conv2d_backward_weights(
        filled(x_, value_), filled(y_, 1.0F), options_,
        scratch(backend_->conv2d_backward_weights_scratch_bytes(x_, w_, DType::f32, options_)), dw, {});
    return first(dw);
  }

 private:
  Tensor filled(const Shape& shape, float value) {
    const std::vector<float> values(static_cast<std::size_t>(shape.numel()), value);
    Tensor tensor(*backend_, backend_->allocate(values.size() * sizeof(float)), 0, shape, DType::f32);
    backend_->copy_from_host(values.data(), tensor);
    return tensor;
  }
  Tensor scratch(std::size_t bytes) {
    if (bytes == 0) return {};
    return {*backend_, backend_->allocate(bytes), 0, {static_cast<std::int64_t>(bytes)}, DType::u8};
  }
  float first(const Tensor& tensor) {
    std::vector<float> values(static_cast<std::size_t>(tensor.numel()));
    backend_->copy_to_host(tensor, values.data());
    for (const float value : values) EXPECT_EQ(value, values[0]);
    return values[0];
  }

  std::unique_ptr<Backend> backend_;
  Conv2dOptions options_;
  float value_;
  Shape x_, w_, y_;
};

TEST(ConvTf32, RoundsFactorsWhereAskedFor) {
  for (const MakeBackend make : devices()) {
    ConvOnOnes conv(make, true, {8, 16, 1});
    EXPECT_EQ(conv.forward(), 8.0F);
    EXPECT_EQ(conv.backward_data(), 16.0F);
    EXPECT_EQ(conv.backward_weights(), 16.0F);
  }
}

TEST(ConvTf32, RoundsHalvesAwayFromZero) {
  constexpr float kHalf = 1.0F / 2048.0F;
  for (const MakeBackend make : devices()) {
    for (const float sign : {1.0F, -1.0F}) {
      ConvOnOnes conv(make, true, {8, 16, 1}, sign * (1.0F + kHalf));
      EXPECT_EQ(conv.forward(), sign * 8.0F * (1.0F + 2.0F * kHalf));
      EXPECT_EQ(conv.backward_data(), sign * 16.0F * (1.0F + 2.0F * kHalf));
      EXPECT_EQ(conv.backward_weights(), sign * 16.0F * (1.0F + 2.0F * kHalf));
    }
  }
}

TEST(ConvTf32, KeepsF32WhereNotAskedFor) {
  for (const MakeBackend make : devices()) {
    ConvOnOnes conv(make, false, {8, 16, 1});
    EXPECT_EQ(conv.forward(), 8.0F * kAboveOne);
    EXPECT_EQ(conv.backward_data(), 16.0F * kAboveOne);
    EXPECT_EQ(conv.backward_weights(), 16.0F * kAboveOne);
  }
}

TEST(ConvTf32, KeepsF32WhereTensorCoresDoNotTakeTheProblem) {
  for (const MakeBackend make : devices()) {
    for (const Channels& channels : {Channels{3, 5, 1}, Channels{8, 8, 8}}) {
      ConvOnOnes conv(make, true, channels);
      const std::int64_t inputs = channels.in / channels.groups;
      const std::int64_t outputs = channels.out / channels.groups;
      EXPECT_EQ(conv.forward(), static_cast<float>(inputs) * kAboveOne);
      EXPECT_EQ(conv.backward_data(), static_cast<float>(outputs) * kAboveOne);
      EXPECT_EQ(conv.backward_weights(), 16.0F * kAboveOne);
    }
  }
}

}  // namespace
}  // namespace graft::testing
#endif
