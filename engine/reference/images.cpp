#include "engine/backend/images.h"

#include "engine/base/error.h"
#include "engine/reference/doubles.h"
#include "engine/reference/reference_backend.h"

namespace graft {

void ReferenceBackend::gather_images(const Tensor& images, const Tensor& picks, const Tensor& mean,
                                     const Tensor& deviation, const Tensor& y) {
  check_gather_images(*this, images, picks, mean, deviation, y);
  const std::uint8_t* pixels = images.data<std::uint8_t>();
  const std::int32_t* pick = picks.data<std::int32_t>();
  const std::vector<double> means = load(mean);
  const std::vector<double> deviations = load(deviation);
  const std::int64_t height = images.dim(1);
  const std::int64_t width = images.dim(2);
  const std::int64_t channels = images.dim(3);
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(y.numel()));
  for (std::int64_t n = 0; n < picks.dim(0); ++n, pick += kPickColumns) {
    const std::int64_t image = pick[kPickImage];
    check(image < images.dim(0), "[gather_images] image {} of {}", image, images.dim(0));
    for (std::int64_t h = 0; h < height; ++h) {
      for (std::int64_t w = 0; w < width; ++w) {
        const std::int64_t row = h + pick[kPickTop];
        const std::int64_t column = (pick[kPickFlip] != 0 ? width - 1 - w : w) + pick[kPickLeft];
        const bool inside = image >= 0 && row >= 0 && row < height && column >= 0 && column < width;
        for (std::int64_t c = 0; c < channels; ++c) {
          const double p = inside ? pixels[((image * height + row) * width + column) * channels + c] : 0.0;
          values.push_back((p / 255.0 - means[static_cast<std::size_t>(c)]) / deviations[static_cast<std::size_t>(c)]);
        }
      }
    }
  }
  store(values, y);
}

}  // namespace graft
