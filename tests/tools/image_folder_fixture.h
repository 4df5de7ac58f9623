#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/base/philox.h"
#include "tests/tools/study_folder_fixture.h"

namespace graft::testing {

/// Small colour images in files: red, green and blue ones in class folders, and mixtures of the three with a CSV file
/// of their labels.
class ImageFolderTest : public StudyFolderTest {
 protected:
  ImageFolderTest() {
    for (const char* part : {"train", "val"}) {
      for (std::uint32_t i = 0; i < 24; ++i) {
        const std::string name = fmt::format("{}/{}/{}.ppm", part, kColours[i % 3], i);
        write_image(images() / name, 1U << (i % 3), i);
      }
    }
    std::string csv = "image,red,\"green, or so\",blue\n";
    for (std::uint32_t i = 0; i < 40; ++i) {
      const std::uint32_t colours = i % 8;
      const std::string name = fmt::format("{}/{}.ppm", i < 24 ? "train" : "val", i);
      write_image(mixtures() / name, colours, i);
      csv += fmt::format("{},{},{},{}\n", name, colours & 1U, (colours >> 1) & 1U, (colours >> 2) & 1U);
    }
    write(labels(), csv);
  }

  std::filesystem::path images() const { return path("images"); }
  std::filesystem::path mixtures() const { return path("mixtures"); }
  std::filesystem::path labels() const { return path("labels.csv"); }

  /// "train ..." of a small network on 28x28 images for so many epochs, into path(output), with more flags.
  std::vector<std::string> train_words(const std::string& output, int epochs,
                                       const std::vector<std::string>& more) const {
    std::vector<std::string> words{"train",
                                   "--model",
                                   "convnet6",
                                   "--dataset",
                                   "imagefolder",
                                   "--img-size",
                                   "28",
                                   "-b",
                                   "8",
                                   "--opt",
                                   "adamw",
                                   "--lr",
                                   "0.003",
                                   "--sched",
                                   "constant",
                                   "--threads",
                                   "1",
                                   "--epochs",
                                   std::to_string(epochs),
                                   "--output",
                                   path(output).string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

 private:
  static constexpr const char* kColours[] = {"red", "green", "blue"};

  /// A PPM file whose channels are bright where `colours` has their bit, under noise; its size depends on `number`.
  void write_image(const std::filesystem::path& file, std::uint32_t colours, std::uint32_t number) const {
    std::filesystem::create_directories(file.parent_path());
    const std::uint32_t width = 30 + number % 5;
    const std::uint32_t height = 40 - number % 7;
    std::string bytes = fmt::format("P6\n{} {}\n255\n", width, height);
    const RandomStream random{.seed = number, .stream = colours};
    for (std::uint32_t i = 0; i < 3 * width * height; ++i) {
      const std::uint32_t base = ((colours >> (i % 3)) & 1U) != 0 ? 130 : 60;
      bytes += static_cast<char>(base + random.word(0, i) % 64);
    }
    write(file, bytes);
  }
};

}  // namespace graft::testing
