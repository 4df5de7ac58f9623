#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/reference/reference_backend.h"
#include "tests/backend/onnx_case.h"
#include "tests/backend/values.h"

namespace graft::testing {

/// A test of the reference, in f64, on one of ONNX's conformance vectors; the parameter is the vector's name.
class OnnxTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    reference_ = make_reference_backend({});
    ASSERT_NO_THROW(vector_ = load_onnx_case(GetParam())) << "the conformance vectors are part of the tests";
  }

  Backend& reference() { return *reference_; }
  const OnnxCase& vector() const { return vector_; }

  Tensor empty(const Shape& shape) { return reference_->empty(shape, DType::f64); }
  Tensor tensor(const Shape& shape, const std::vector<double>& values, DType dtype = DType::f64) {
    Tensor result = reference_->empty(shape, dtype);
    set_values(result, values);
    return result;
  }
  /// Input i in ONNX's own layout; undefined if the vector has fewer inputs.
  Tensor input(std::size_t i) {
    if (i >= vector_.inputs.size()) return {};
    return tensor(Shape(vector_.inputs[i].dims), vector_.inputs[i].values);
  }
  /// Input i [A, B, H, W] as [A, H, W, B]: images, and convolution weights.
  Tensor channels_last(std::size_t i) {
    const Tensor x = input(i);
    const Tensor y = empty({x.dim(0), x.dim(2), x.dim(3), x.dim(1)});
    reference_->nchw_to_nhwc(x, y);
    return y;
  }
  Tensor channels_first(const Tensor& x) {
    const Tensor y = empty({x.dim(0), x.dim(3), x.dim(1), x.dim(2)});
    reference_->nhwc_to_nchw(x, y);
    return y;
  }

  /// `y` has the values of output i, which ONNX computed in f32 by sums of `terms` terms, none above `magnitude`.
  void expect_output(std::size_t i, const Tensor& y, double terms, double magnitude) {
    ASSERT_LT(i, vector_.outputs.size());
    ASSERT_EQ(y.numel(), static_cast<std::int64_t>(vector_.outputs[i].values.size()));
    const Tensor expected = reference_->empty(y.shape(), DType::f32);
    set_values(expected, vector_.outputs[i].values);
    expect_close("output " + std::to_string(i), {expected, y}, (terms + 1.0) * terms * kF32Roundoff * magnitude);
  }

 private:
  std::unique_ptr<Backend> reference_;
  OnnxCase vector_;
};

inline std::string onnx_name(const ::testing::TestParamInfo<std::string>& info) { return info.param; }

}  // namespace graft::testing
