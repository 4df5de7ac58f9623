#include "cuda/library/cudnn_operation.h"

#include <gtest/gtest.h>

#include <memory>

#include "engine/base/error.h"

// cuDNN checks descriptors without a GPU: that it takes those of every convolution that graft hands to it.
namespace graft::cuda::testing {
namespace {

std::unique_ptr<CudnnApi> open_cudnn() {
  try {
    return std::make_unique<CudnnApi>();
  } catch (const Error&) {
    return nullptr;
  }
}

TEST(CudnnOperation, DescriptorsAreAccepted) {
  const std::unique_ptr<CudnnApi> api = open_cudnn();
  if (api == nullptr) GTEST_SKIP() << "libcudnn.so.9 is not on this machine";
  const ConvProblem plain{.batch = 8,
                          .height = 14,
                          .width = 15,
                          .channels = 64,
                          .out_height = 14,
                          .out_width = 15,
                          .out_channels = 128,
                          .kernel_height = 3,
                          .kernel_width = 3,
                          .padding = Padding2d::same(1)};
  ConvProblem strided = plain;
  strided.stride = {2, 2};
  strided.out_height = 7;
  strided.out_width = 8;
  ConvProblem grouped = plain;
  grouped.groups = 4;
  ConvProblem uneven = plain;
  uneven.padding = {.top = 0, .left = 1, .bottom = 2, .right = 1};
  for (const ConvProblem& problem : {plain, strided, grouped, uneven}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const ConvPass pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
        EXPECT_NO_THROW(cudnn_conv_operation(*api, pass, problem, dtype));
      }
    }
  }
  ConvProblem wrong = plain;
  wrong.out_height = 99;
  EXPECT_THROW(cudnn_conv_operation(*api, ConvPass::forward, wrong, DType::f32), Error) << "it does check";
}

}  // namespace
}  // namespace graft::cuda::testing
