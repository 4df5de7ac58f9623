#pragma once

#include <cstdint>

#include "engine/backend/contract_check.h"
#include "engine/tensor/tensor.h"

namespace graft {

/// Columns of a table of picks: which image, the first row and column of the crop in it (negative: in the zero padding
/// round it), and whether the crop is mirrored left to right.
enum PickColumn : std::int64_t { kPickImage, kPickTop, kPickLeft, kPickFlip, kPickColumns };

/// Contracts of kernels that make batches from images which lie on the backend.
class ImageKernels {
 public:
  virtual ~ImageKernels() = default;

  /// y[n, h, w, c] = (p / 255 - mean[c]) / deviation[c], where p is row h, column w of the crop of images[image] that
  /// begins at (top, left) and has the image's own size, mirrored where flip is not 0; outside the image, and for an
  /// image below 0, p is 0.
  /// images u8 [M, H, W, C]; picks i32 [N, 4], rows {image, top, left, flip}, image < M; mean, deviation f32 [C];
  /// y [N, H, W, C] f32 or bf16 (f64).
  virtual void gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean, const Tensor& deviation,
                             const Tensor& y) = 0;
};

/// The contract of gather_images as a check. What only the device can see, images in range, is not checked.
inline void check_gather_images(const Backend& backend, const Tensor& images, const Tensor& picks, const Tensor& mean,
                                const Tensor& deviation, const Tensor& y) {
  const ContractCheck contract("gather_images", backend);
  contract.floating({"y", y});
  contract.rank({"images", images}, 4);
  contract.rank({"picks", picks}, 2);
  const Shape& shape = images.shape();
  contract.is({"images", images}, shape, DType::u8);
  contract.is({"picks", picks}, {picks.dim(0), kPickColumns}, DType::i32);
  contract.is({"mean", mean}, {shape[3]}, DType::f32);
  contract.is({"deviation", deviation}, {shape[3]}, DType::f32);
  contract.is({"y", y}, {picks.dim(0), shape[1], shape[2], shape[3]}, y.dtype());
}

}  // namespace graft
