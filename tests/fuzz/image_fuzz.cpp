// read_image on any bytes, and what evaluation makes of what it gives.
#include <vector>

#include "datasets/image_decode.h"
#include "datasets/image_transform.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Few pixels, so that a run is short; the limit itself is tested elsewhere.
  graft::fuzz::with_file({data, size}, [](const std::filesystem::path& path) {
    constexpr std::int64_t kMaxPixels = 1 << 18;
    graft::PixelBuffer scratch;
    graft::Image image;
    graft::read_image(path, {.max_pixels = kMaxPixels}, scratch, image);
    graft::fuzz::require(image.height() > 0 && image.width() > 0 && image.height() * image.width() <= kMaxPixels,
                         "an image beyond the limit");
    const graft::ImageTransform transform{.size = 8, .resize = 9};
    // A line of a hundred thousand pixels would be enlarged to as many rows.
    if (image.height() > 64 * image.width() || image.width() > 64 * image.height()) return;
    std::vector<std::byte> item(static_cast<std::size_t>(transform.item_shape().numel()));
    graft::ResizeScratch resize;
    resize_and_crop(image.view(), transform, resize, item);
  });
  return 0;
}
