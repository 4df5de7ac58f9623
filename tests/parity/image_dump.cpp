#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "datasets/image_decode.h"
#include "datasets/image_transform.h"
#include "engine/base/error.h"

// What images.py asks of graft: one request a line on stdin, one answer a line on stdout, pixels in the file OUT.
//   decode FILE OUT                                -> "ok HEIGHT WIDTH"
//   resize FILE OUT HEIGHT WIDTH FILTER            -> "ok HEIGHT WIDTH": the whole image resized
//   eval FILE OUT RESIZE SIZE FILTER               -> "ok SIZE SIZE": as evaluation reads it
//   crop FILE OUT TOP LEFT HEIGHT WIDTH SIZE FILTER -> "ok SIZE SIZE": a part, resized
// or "error KIND MESSAGE".
namespace graft {
namespace {

struct Answer {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<std::byte> pixels;
};

Answer square(std::int64_t size) {
  return {.height = size, .width = size, .pixels = std::vector<std::byte>(static_cast<std::size_t>(size * size * 3))};
}

Answer answer(const std::string& request, std::istringstream& words, const ImageView& image) {
  ResizeScratch scratch;
  std::string filter;
  if (request == "decode") {
    const auto* begin = reinterpret_cast<const std::byte*>(image.pixels);
    return {.height = image.height,
            .width = image.width,
            .pixels = {begin, begin + image.row_bytes * static_cast<std::size_t>(image.height)}};
  }
  if (request == "resize") {
    Answer result;
    words >> result.height >> result.width >> filter;
    result.pixels.resize(static_cast<std::size_t>(result.height * result.width * 3));
    crop_and_resize(image, {.height = image.height, .width = image.width}, interpolation_of(filter),
                    {result.height, result.width, 3}, scratch, result.pixels);
    return result;
  }
  if (request == "eval") {
    ImageTransform transform;
    words >> transform.resize >> transform.size >> filter;
    transform.interpolation = interpolation_of(filter);
    Answer result = square(transform.size);
    resize_and_crop(image, transform, scratch, result.pixels);
    return result;
  }
  check(request == "crop", "request '{}' is not known", request);
  CropBox box;
  std::int64_t size = 0;
  words >> box.top >> box.left >> box.height >> box.width >> size >> filter;
  Answer result = square(size);
  crop_and_resize(image, box, interpolation_of(filter), {size, size, 3}, scratch, result.pixels);
  return result;
}

void serve(const std::string& line) {
  std::istringstream words(line);
  std::string request;
  std::string file;
  std::string out;
  words >> request >> file >> out;
  try {
    PixelBuffer bytes;
    Image image;
    read_image(file, {}, bytes, image);
    const Answer result = answer(request, words, image.view());
    std::ofstream(out, std::ios::binary)
        .write(reinterpret_cast<const char*>(result.pixels.data()), static_cast<std::streamsize>(result.pixels.size()));
    fmt::print("ok {} {}\n", result.height, result.width);
  } catch (const Error& error) {
    fmt::print("error {} {}\n", static_cast<int>(error.kind()), error.what());
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace graft

int main() {
  for (std::string line; std::getline(std::cin, line);) graft::serve(line);
  return 0;
}
