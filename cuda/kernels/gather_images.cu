// Batches from u8 images that lie on the device: gather, crop, mirror and normalise in one pass,
// y[n, h, w, c] = (images[image, h + top, w' + left, c] / 255 - mean[c]) / deviation[c], by the factors of
// normalize_images, so that a batch has the same bits whichever of the two made it.
//
// Threads: grid-stride over whole pixels of y, neighbours in a row next to each other; a thread reads the C bytes of
// its pixel (one to four in practice) and writes the C values side by side. A block's pick is read through the cache.
// Bound: memory; one byte read and 2 or 4 written for each element of y.

#include "cuda/kernels/gather_images.h"

#include "cuda/kernels/device/dispatch.h"
#include "cuda/kernels/device/image_index.cuh"
#include "cuda/kernels/device/normalization.cuh"
#include "cuda/runtime/launch.cuh"

namespace graft::cuda::inline GRAFT_CUDA_PLATFORM {

namespace {

template <class Index, class T>
__global__ void gather_images_kernel(GatherShape shape, const std::uint8_t* images, const std::int32_t* picks,
                                     const float* mean, const float* deviation, T* y, std::int64_t pixels,
                                     ImageIndex<Index> place_of) {
  const Normalization normalization(mean, deviation, shape.channels);
  const std::int64_t stride = std::int64_t{gridDim.x} * kBlockThreads;
  for (std::int64_t i = std::int64_t{blockIdx.x} * kBlockThreads + threadIdx.x; i < pixels; i += stride) {
    const auto [n, h, w, first] = place_of(i);
    const std::int32_t* pick = picks + n * 4;
    const std::int64_t row = h + pick[1];
    const std::int64_t column = (pick[3] != 0 ? shape.width - 1 - w : w) + pick[2];
    const bool inside = pick[0] >= 0 && row >= 0 && row < shape.height && column >= 0 && column < shape.width;
    const std::int64_t pixel = ((pick[0] * shape.height + row) * shape.width + column) * shape.channels;
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const float value = inside ? static_cast<float>(images[pixel + c]) : 0.0f;
      y[i * shape.channels + c] = from_float<T>(normalization(c)(value));
    }
  }
}

}  // namespace

void gather_images(const Stream& stream, DType dtype, const GatherShape& shape, const std::uint8_t* images,
                   const std::int32_t* picks, const float* mean, const float* deviation, void* y) {
  const std::int64_t pixels = shape.batch * shape.height * shape.width;
  if (pixels == 0 || shape.channels == 0) return;
  with_float_type(dtype, [&](auto type) {
    with_index_type(pixels, [&](auto index) {
      using T = decltype(type);
      using Index = decltype(index);
      launch(stream,
             {.kernel = "gather_images",
              .grid = grid_stride_blocks(stream, pixels, kBlockThreads),
              .block = kBlockThreads,
              .shared_bytes = Normalization::shared_bytes(shape.channels)},
             gather_images_kernel<Index, T>, shape, images, picks, mean, deviation, static_cast<T*>(y), pixels,
             ImageIndex<Index>(shape.height, shape.width, 1, 1));
    });
  });
}

}  // namespace graft::cuda::inline GRAFT_CUDA_PLATFORM
